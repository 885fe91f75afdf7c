namespace Punchline.Protocols.Transport.ConnectionIds;

/// <summary>Who brings packets to a connection: it makes the ids that lead there, and knows which tokens end it.</summary>
internal interface IConnectionIdOwner
{
    /// <summary>Makes another id, unique among all connections, that leads to this one from now on.</summary>
    ulong IssueConnectionId(out ResetToken token);

    /// <summary>The id leads nowhere any more.</summary>
    void RetireConnectionId(ulong id);

    /// <summary>A datagram that ends with the token is for <see cref="Connection.HandleStatelessReset"/>.</summary>
    void WatchResetToken(ResetToken token);

    void UnwatchResetToken(ResetToken token);
}
