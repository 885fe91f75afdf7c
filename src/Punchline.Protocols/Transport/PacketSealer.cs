using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport;

/// <summary>Seals one direction's packets, numbers them, and counts what the present key has sealed.</summary>
internal sealed class PacketSealer(ReadOnlySpan<byte> key, AeadLimits limits, Timestamp now) : IDisposable
{
    private PacketCipher _cipher = new(key);
    private Timestamp _keySince = now;
    private ulong _sealed;
    private ulong _sealedLarge;

    /// <summary>The number that the next packet gets.</summary>
    public ulong NextNumber { get; private set; }

    /// <summary>The key phase that packets carry: changes with every key.</summary>
    public bool KeyPhase { get; private set; }

    /// <summary>The first number that the present key sealed, or will.</summary>
    public ulong FirstOfKey { get; private set; }

    /// <summary>Small packets that the present key may still seal.</summary>
    public ulong PacketsLeft
    {
        get
        {
            var used = _sealed + (_sealedLarge * limits.LargePacketWeight);
            return used < limits.MaxPackets ? limits.MaxPackets - used : 0;
        }
    }

    /// <summary>The key has sealed enough, or is old enough, for another to take its place.</summary>
    public bool IsUpdateDue(Timestamp now) =>
        _sealed >= limits.RekeyPackets || _sealedLarge >= limits.RekeyLargePackets || now - _keySince >= limits.RekeyInterval;

    public void UpdateKey(Timestamp now)
    {
        var next = _cipher.CreateNext();
        _cipher.Dispose();
        _cipher = next;
        _keySince = now;
        _sealed = _sealedLarge = 0;
        KeyPhase = !KeyPhase;
        FirstOfKey = NextNumber;
    }

    /// <summary>
    /// Turns header room and frames into a packet, in place.
    /// </summary>
    /// <param name="packet">Header (written by this call), frames (already there), and room for the tag.</param>
    /// <param name="connectionId">The receiver's.</param>
    /// <returns>False, with nothing sealed, where the key's limit is reached.</returns>
    public bool TrySeal(Span<byte> packet, ulong connectionId)
    {
        var isLarge = packet.Length > AeadLimits.SmallPacketSize;
        if (PacketsLeft < (isLarge ? limits.LargePacketWeight : 1)) return false;
        PacketHeader.Write(packet, new PacketHeader(connectionId, (uint)NextNumber, KeyPhase));
        _cipher.Seal(packet, NextNumber);
        NextNumber++;
        if (isLarge) _sealedLarge++;
        else _sealed++;
        return true;
    }

    public void Dispose() => _cipher.Dispose();
}
