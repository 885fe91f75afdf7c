namespace Punchline;

/// <summary>Who may write on a <see cref="PeerStream"/>.</summary>
public enum PeerStreamDirection
{
    /// <summary>Both sides.</summary>
    Bidirectional,

    /// <summary>Only the side that opened it.</summary>
    Unidirectional,
}

/// <summary>Which side of a <see cref="PeerStream"/> is abandoned.</summary>
[Flags]
public enum PeerAbortDirection
{
    /// <summary>Reading: what is unread is dropped, and the peer is asked to stop writing.</summary>
    Read = 1,

    /// <summary>Writing: what has not arrived may be lost, and the peer is told that no more comes.</summary>
    Write = 2,

    /// <summary>Both.</summary>
    Both = Read | Write,
}
