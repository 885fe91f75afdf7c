using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Transport;

/// <summary>
/// Key updates by key phase (RFC 9001 §6): one side begins, the other follows with its next packet, and no further one
/// begins before both the peer has acknowledged it and the old key is gone.
/// </summary>
internal sealed partial class Connection
{
    // RFC 9001 §6.5: old keys are kept for "no more than three times the PTO" after a packet of the new ones.
    private const int OldKeyProbeTimeouts = 3;

    private bool _isKeyAcknowledged;
    private ulong _keyUpdates;

    /// <summary>False where the packet's key may not be used: then the connection is closing.</summary>
    private bool TryFollowKeyUpdate(KeyGeneration key, ulong number, Timestamp now)
    {
        if (key == KeyGeneration.Current) _opener.OnOpened(number);
        if (key != KeyGeneration.Next) return true;
        // RFC 9001 §6.2: who updates has seen an acknowledgement under the key that it leaves. Ours has sealed nothing yet.
        if (_sealer.KeyPhase == _opener.KeyPhase && _sealer.NextNumber == _sealer.FirstOfKey)
        {
            CloseForError(TransportError.KeyUpdateError, FrameType.Padding, "A key was updated again before the update was acknowledged.", now);
            return false;
        }
        _opener.UpdateKey(number, now + (OldKeyProbeTimeouts * _recovery.ProbeTimeout));
        var isPeers = _sealer.KeyPhase != _opener.KeyPhase;
        if (isPeers) UpdateSendKey(now);
        _observer?.OnKeyUpdated(isSendKey: false, isPeers, _keyUpdates, now);
        return true;
    }

    // Looked at before a packet is built, so that an idle connection has no timer for it.
    private void BeginKeyUpdate(Timestamp now)
    {
        if (_isKeyAcknowledged && _sealer.KeyPhase == _opener.KeyPhase && _opener.Deadline == Timestamp.Never && _sealer.IsUpdateDue(now)) UpdateSendKey(now);
    }

    private void UpdateSendKey(Timestamp now)
    {
        _sealer.UpdateKey(now);
        _isKeyAcknowledged = false;
        _keyUpdates++;
        _observer?.OnKeyUpdated(isSendKey: true, _sealer.KeyPhase == _opener.KeyPhase, _keyUpdates, now);
    }

    /// <summary>False where the peer has seen our new key, and uses its own old one (RFC 9001 §6.2).</summary>
    private bool TryNoteAcknowledgedKey(ulong largestAcknowledged, bool keyPhase)
    {
        if (largestAcknowledged < _sealer.FirstOfKey) return true;
        _isKeyAcknowledged = true;
        return keyPhase == _sealer.KeyPhase;
    }
}
