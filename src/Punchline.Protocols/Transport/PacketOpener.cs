using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport;

/// <summary>Which of the keys opened a packet.</summary>
internal enum KeyGeneration : byte
{
    Current,

    /// <summary>The one before, for packets that a key update overtook.</summary>
    Previous,

    /// <summary>The one after: the peer has updated its key.</summary>
    Next,
}

/// <summary>
/// Opens the other direction's packets with the key that their phase and number ask for (RFC 9001 §6.3), and counts those whose tag
/// fails, over all keys. The next key is made beforehand, so that how long a packet takes does not tell which key was tried.
/// </summary>
internal sealed class PacketOpener : IDisposable
{
    private readonly ulong _maxForgeries;
    private PacketCipher _current;
    private PacketCipher _next;
    private PacketCipher? _previous;
    private ulong _firstOfKey;

    public PacketOpener(ReadOnlySpan<byte> key, AeadLimits limits)
    {
        _maxForgeries = limits.MaxForgeries;
        _current = new PacketCipher(key);
        _next = _current.CreateNext();
    }

    /// <summary>The key phase of the newest key that the peer has used.</summary>
    public bool KeyPhase { get; private set; }

    /// <summary>When the key before is given up; <see cref="Timestamp.Never"/> where there is none.</summary>
    public Timestamp Deadline { get; private set; } = Timestamp.Never;

    public ulong Forgeries { get; private set; }

    public bool IsExhausted => Forgeries >= _maxForgeries;

    /// <summary>Decrypts a packet's frames into <paramref name="frames"/>, which is as long as they are. Changes nothing but the count of forgeries.</summary>
    /// <returns>False where the packet does not authenticate, or its key is gone.</returns>
    public bool TryOpen(ReadOnlySpan<byte> packet, in PacketHeader header, ulong number, Span<byte> frames, out KeyGeneration key)
    {
        key = header.KeyPhase == KeyPhase ? KeyGeneration.Current : number < _firstOfKey ? KeyGeneration.Previous : KeyGeneration.Next;
        var cipher = key switch
        {
            KeyGeneration.Current => _current,
            KeyGeneration.Previous => _previous,
            _ => _next,
        };
        if (cipher is null) return false;
        if (cipher.TryOpen(packet, number, frames)) return true;
        Forgeries++;
        return false;
    }

    /// <summary>A packet of the current key: numbers from here on do not belong to the one before.</summary>
    public void OnOpened(ulong number) => _firstOfKey = Math.Min(_firstOfKey, number);

    /// <summary>The next key is the current one from packet <paramref name="number"/> on; the one before is kept until <paramref name="deadline"/>.</summary>
    public void UpdateKey(ulong number, Timestamp deadline)
    {
        _previous?.Dispose();
        _previous = _current;
        _current = _next;
        _next = _current.CreateNext();
        _firstOfKey = number;
        KeyPhase = !KeyPhase;
        Deadline = deadline;
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now < Deadline) return;
        Deadline = Timestamp.Never;
        _previous?.Dispose();
        _previous = null;
    }

    public void Dispose()
    {
        _previous?.Dispose();
        _current.Dispose();
        _next.Dispose();
    }
}
