namespace Punchline.Protocols.Transport.Streams;

/// <summary>
/// What the receive windows of all connections of a node may grow by, beyond those that each begins with: whoever does not read
/// what has been announced makes us hold it.
/// </summary>
internal sealed class ReceiveBudget(ulong limit = ReceiveBudget.DefaultLimit)
{
    /// <summary>Ten connections whose windows have grown to their own maximum.</summary>
    public const ulong DefaultLimit = 10 * (ReceiveCredit.MaxConnectionWindow + ReceiveCredit.MaxStreamWindow);

    /// <summary>Bytes that are taken.</summary>
    public ulong Taken { get; private set; }

    /// <summary>False where so much is not left: nothing is taken then.</summary>
    public bool TryTake(ulong bytes)
    {
        if (bytes > limit - Taken) return false;
        Taken += bytes;
        return true;
    }

    public void Return(ulong bytes) => Taken -= bytes;
}
