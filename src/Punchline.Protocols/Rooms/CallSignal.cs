using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Rooms;

/// <summary>What a signal says. The numbers are on the wire.</summary>
internal enum CallSignalType : byte
{
    /// <summary>From the caller: its introduction, candidates and all.</summary>
    Ring = 1,

    /// <summary>The answer that gives the callee's introduction. The same may come again, in a higher generation or not.</summary>
    Accept = 2,

    /// <summary>The other answer.</summary>
    Refuse = 3,

    /// <summary>New candidates, of either side.</summary>
    Update = 4,

    /// <summary>The caller withdraws its ring, or either side ends the call.</summary>
    HangUp = 5,
}

/// <summary>Why a call is not taken. The numbers are on the wire.</summary>
internal enum CallRefusalCode : byte
{
    /// <summary>Somebody, or a list, said no.</summary>
    Refused = 1,

    /// <summary>In a call already, or too many are ringing.</summary>
    Busy = 2,
}

/// <summary>
/// What caller and callee tell each other through the inbox, sealed so that the server cannot read it:
/// <code>
/// nonce (12) | AES-256-GCM under the call's signal key, sender's id (32) and receiver's id (32) as associated data | tag (16)
///   plaintext: type (1) | number (4) | body
///     1 ring, 2 accept, 4 update    an introduction, as in a blob (<see cref="IntroductionBlob"/>)
///     3 refuse                      reason (1): 1 refused, 2 busy
///     5 hang-up                     nothing
///   what follows is a later version's, and ignored; so are other types
/// </code>
/// Numbers rise with each signal of one side of the call: a signal that the server gives out a second time counts for nothing.
/// </summary>
internal sealed record CallSignal(CallSignalType Type, uint Number)
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int Overhead = NonceLength + TagLength;
    private const int HeaderLength = sizeof(byte) + sizeof(uint);
    private const int AssociatedLength = 2 * PeerId.ByteLength;

    /// <summary>Of a ring, an accept or an update.</summary>
    public IntroductionBlob? Introduction { get; init; }

    /// <summary>Of a refusal. A reason that a later version has counts as the first.</summary>
    public CallRefusalCode Refusal { get; init; }

    public byte[] Seal(CallKeys keys, PeerId sender, PeerId receiver, IRandomSource random)
    {
        Span<byte> plaintext = stackalloc byte[CoordinationLimits.MaxSignalBytes - Overhead];
        var writer = new SpanWriter(plaintext);
        writer.WriteByte((byte)Type);
        writer.WriteUInt32(Number);
        Introduction?.Write(ref writer);
        if (Type == CallSignalType.Refuse) writer.WriteByte((byte)Refusal);

        var data = new byte[Overhead + writer.Length];
        var nonce = data.AsSpan(0, NonceLength);
        random.Fill(nonce);
        Span<byte> associated = stackalloc byte[AssociatedLength];
        WriteAssociated(sender, receiver, associated);
        using var aes = new AesGcm(keys.SignalKey, TagLength);
        aes.Encrypt(nonce, writer.Written, data.AsSpan(NonceLength, writer.Length), data.AsSpan(NonceLength + writer.Length), associated);
        return data;
    }

    /// <summary>False for what the other side of the call did not seal for this one, or is malformed.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> data, CallKeys keys, PeerId sender, PeerId receiver, [NotNullWhen(true)] out CallSignal? signal)
    {
        signal = null;
        if (data.Length is < Overhead + HeaderLength or > CoordinationLimits.MaxSignalBytes) return false;
        Span<byte> plaintext = stackalloc byte[data.Length - Overhead];
        Span<byte> associated = stackalloc byte[AssociatedLength];
        WriteAssociated(sender, receiver, associated);
        try
        {
            using var aes = new AesGcm(keys.SignalKey, TagLength);
            aes.Decrypt(data[..NonceLength], data[NonceLength..^TagLength], data[^TagLength..], plaintext, associated);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        return TryRead(plaintext, out signal);
    }

    private static bool TryRead(ReadOnlySpan<byte> plaintext, [NotNullWhen(true)] out CallSignal? signal)
    {
        signal = null;
        var reader = new SpanReader(plaintext);
        if (!reader.TryReadByte(out var type) || !reader.TryReadUInt32(out var number)) return false;
        signal = new CallSignal((CallSignalType)type, number);
        switch (signal.Type)
        {
            case CallSignalType.Ring or CallSignalType.Accept or CallSignalType.Update:
                if (!IntroductionBlob.TryRead(reader.Remaining, out var introduction)) return false;
                signal = signal with { Introduction = introduction };
                return true;
            case CallSignalType.Refuse:
                if (!reader.TryReadByte(out var reason)) return false;
                signal = signal with { Refusal = reason == (byte)CallRefusalCode.Busy ? CallRefusalCode.Busy : CallRefusalCode.Refused };
                return true;
            default:
                return true;
        }
    }

    private static void WriteAssociated(PeerId sender, PeerId receiver, Span<byte> associated)
    {
        sender.CopyTo(associated);
        receiver.CopyTo(associated[PeerId.ByteLength..]);
    }
}
