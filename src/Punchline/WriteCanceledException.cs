namespace Punchline;

/// <summary>
/// A write to a <see cref="PeerStream"/> was canceled. The first <see cref="BytesWritten"/> bytes of it are on their way as any others,
/// the rest was not taken, and the stream can be written on from there.
/// </summary>
/// <param name="bytesWritten">Bytes that were taken.</param>
/// <param name="cancellationToken">The caller's token.</param>
public sealed class WriteCanceledException(int bytesWritten, CancellationToken cancellationToken)
    : OperationCanceledException($"The write was canceled when {bytesWritten} bytes of it had been taken.", cancellationToken)
{
    /// <summary>Bytes of the write that were taken, and that the peer gets; 0 where the write has done nothing.</summary>
    public int BytesWritten { get; } = bytesWritten;
}
