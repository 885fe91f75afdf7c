using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>
/// The four endpoints of a server that lets clients discover how their NAT behaves (RFC 5780): two addresses, and on each
/// the same two ports. Numbered 0 to 3: bit 1 is the alternate address, bit 0 the alternate port.
/// </summary>
/// <param name="Primary">First address and port, as clients reach them.</param>
/// <param name="Alternate">Second address and port, as clients reach them.</param>
internal readonly record struct StunVantage(Endpoint Primary, Endpoint Alternate)
{
    public const int Count = 4;

    public const int AlternateAddress = 2;
    public const int AlternatePort = 1;

    /// <summary>What is heard of answers that were not let through; null: nothing can be.</summary>
    public IStunRejections? Rejections { get; init; }

    public Endpoint this[int index] =>
        ((index & AlternateAddress) == 0 ? Primary : Alternate).WithPort((index & AlternatePort) == 0 ? Primary.Port : Alternate.Port);

    /// <summary>
    /// The endpoint that differs in both, which is what OTHER-ADDRESS names (RFC 5780 §7.4): where an answer would come
    /// from if the request asked for another address and another port.
    /// </summary>
    public static int OtherThan(int index) => index ^ (AlternateAddress | AlternatePort);
}

/// <summary>The value of CHANGE-REQUEST (RFC 5780 §7.2): from where the client wants its answer.</summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 A B 0|
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>A: another address, B: another port.</remarks>
internal static class StunChangeRequest
{
    public const int Length = 4;
    public const uint ChangeAddress = 4;
    public const uint ChangePort = 2;

    /// <summary>Reads the difference to the index of the endpoint that was asked.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out int difference)
    {
        difference = 0;
        if (value.Length != Length) return false;
        var flags = BinaryPrimitives.ReadUInt32BigEndian(value);
        if ((flags & ChangeAddress) != 0) difference |= StunVantage.AlternateAddress;
        if ((flags & ChangePort) != 0) difference |= StunVantage.AlternatePort;
        return true;
    }
}
