using Punchline.Cli.Session;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Web;

/// <summary>An inbox, as the session tells of it: whether the server is there, and what rings.</summary>
/// <param name="node">Whose.</param>
/// <param name="options">Where.</param>
/// <param name="place">What callers type to meet us there.</param>
/// <param name="session">Is told.</param>
/// <param name="describe">Whether we know somebody of this id and name, in a sentence.</param>
/// <param name="time">The clock of calls.</param>
internal sealed class WebCalls(PeerNode node, InboxOptions options, string place, SessionModel session, Func<PeerId, string, string> describe, TimeProvider time) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<int, IncomingCall> _ringing = [];
    private InboxSnapshot _snapshot = new(options.DisplayName, place, null, []);
    private PeerInbox? _inbox;
    private int _lastCall;

    public string Name => options.DisplayName;

    public bool HasServer => options.Server is not null;

    /// <summary>No calls come in any more.</summary>
    public bool IsOver { get; private set; }

    /// <exception cref="PunchlineException">The server cannot be reached, is not trusted, or refuses.</exception>
    public async Task OpenAsync()
    {
        Change(snapshot => snapshot);
        try
        {
            _inbox = await node.OpenInboxAsync(options, _stop.Token);
        }
        catch (PunchlineException)
        {
            End();
            throw;
        }
        catch (OperationCanceledException) when (IsOver)
        {
            return;
        }
        _ = ShowServerAsync(_inbox);
        _ = ShowCallsAsync(_inbox);
    }

    /// <summary>A call that rings, and does not any more for the page.</summary>
    /// <exception cref="UsageException">There is none of this number.</exception>
    public IncomingCall Take(int number)
    {
        lock (_gate)
        {
            if (!_ringing.Remove(number, out var call)) throw new UsageException("The caller rings no more.");
            Change(snapshot => snapshot with { Calls = snapshot.Calls.RemoveAll(ringing => ringing.Number == number) });
            return call;
        }
    }

    public async ValueTask DisposeAsync()
    {
        End();
        await _stop.CancelAsync();
        if (_inbox is not null) await _inbox.DisposeAsync();
        _stop.Dispose();
    }

    private void End()
    {
        lock (_gate)
        {
            if (IsOver && _snapshot.Problem is null) return;
            IsOver = true;
            session.ShowInbox(null);
        }
    }

    private void Change(Func<InboxSnapshot, InboxSnapshot> change)
    {
        lock (_gate)
        {
            if (IsOver) return;
            _snapshot = change(_snapshot);
            session.ShowInbox(_snapshot);
        }
    }

    private async Task ShowServerAsync(PeerInbox inbox)
    {
        await foreach (var state in inbox.ReadServerStatesAsync(CancellationToken.None)) Change(snapshot => snapshot with { Server = state });
    }

    private async Task ShowCallsAsync(PeerInbox inbox)
    {
        try
        {
            await foreach (var call in inbox.ReadCallsAsync(CancellationToken.None)) _ = RingAsync(call);
        }
        catch (PunchlineException exception)
        {
            Change(snapshot => snapshot with { Problem = exception.Message, Calls = [] });
            IsOver = true;
        }
    }

    private async Task RingAsync(IncomingCall call)
    {
        int number;
        lock (_gate)
        {
            number = ++_lastCall;
            _ringing.Add(number, call);
            var ringing = new RingingCall(number, time.GetUtcNow(), call.Peer, PeerText.Clean(call.Name).Trim(), describe(call.Peer, call.Name));
            Change(snapshot => snapshot with { Calls = snapshot.Calls.Add(ringing) });
        }
        await call.Withdrawn;
        lock (_gate)
        {
            if (_ringing.Remove(number)) Change(snapshot => snapshot with { Calls = snapshot.Calls.RemoveAll(ringing => ringing.Number == number) });
        }
    }
}
