namespace Punchline.Pump;

/// <summary>From a node to a connection, and from that to an exit code.</summary>
internal static class PumpProgram
{
    /// <summary>The length in 8 bytes and as many bytes; the answer is their SHA-256.</summary>
    public const string Protocol = "punchline/pump/1";

    public static async Task<int> RunAsync(Func<PeerNode, Task<PeerConnection>> connect, Func<PeerConnection, Report, Task<bool>> transfer)
    {
        var report = new Report();
        try
        {
            await using var node = await PeerNode.StartAsync(new PeerNodeOptions());
            report.Write("ready", ("peer", node.Id.ToString()));
            await using var connection = await connect(node);
            using var over = new CancellationTokenSource();
            var watching = WatchAsync(connection, report, over.Token);
            var isWhole = await transfer(connection, report);
            await over.CancelAsync();
            await watching;
            return isWhole ? 0 : 1;
        }
        catch (PunchlineException exception)
        {
            report.Write("failed", ("error", exception.Error.ToString()), ("cause", exception.FailureCause), ("detail", exception.Message));
            return 1;
        }
    }

    /// <summary>Whoever knows the id may send: what is measured holds nothing.</summary>
    public static async Task<PeerConnection> ListenAsync(PeerNode node, string server, bool trustFirst, CancellationToken cancellationToken)
    {
        await using var listener = await node.ListenAsync(
            new PeerListenerOptions { Server = server, TrustFirst = trustFirst, Protocols = [Protocol], Consent = (_, _, _) => ValueTask.FromResult(true) }, cancellationToken);
        return await listener.AcceptConnectionAsync(cancellationToken);
    }

    public static async Task<PeerConnection> MeetAsync(PeerNode node, RoomOptions options, CancellationToken cancellationToken)
    {
        // The room is left with the node.
        var room = await node.JoinRoomAsync(options, cancellationToken);
        return await room.AcceptConnectionAsync(cancellationToken);
    }

    private static async Task WatchAsync(PeerConnection connection, Report report, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var path in connection.WatchPathAsync(cancellationToken))
            {
                report.Write("path", ("peer", connection.Peer.ToString()), ("local", path.Local.ToString()), ("remote", path.Remote.ToString()), ("transport", path.Transport.ToString()));
            }
        }
        catch (OperationCanceledException)
        {
            // The transfer is over.
        }
    }
}
