namespace Punchline.Simulation.Peers;

/// <summary>How a server's STUN may mislead who measures mappings by it.</summary>
internal enum StunLie
{
    None,

    /// <summary>It answers elsewhere than it was asked only once: every mapping seems dead.</summary>
    Silent,

    /// <summary>It sends to every mapping that it has seen, every 5 s: none dies.</summary>
    Refresh,

    /// <summary>It ignores RESPONSE-PORT, and answers where it was asked.</summary>
    Unknowing,

    /// <summary>It sends noise to where it is to answer.</summary>
    Garbage,
}
