namespace Punchline.Cli.Session;

/// <summary>What is known of a member's key. Names prove nothing, so none of these speaks of a name's owner but <see cref="Verified"/>.</summary>
internal enum TrustMark
{
    /// <summary>Not connected yet, so no key was proved; or nobody is remembered.</summary>
    Unknown,

    /// <summary>Met in this room for the first time.</summary>
    New,

    /// <summary>Met in this room before, under this key.</summary>
    Known,

    /// <summary>Its id was compared with the person behind it.</summary>
    Verified,

    /// <summary>It came under a name that this peer knew with another key.</summary>
    Changed,
}
