using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Settings;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Calls;

/// <summary>
/// Waits for calls, one after the other: asks for consent where no list gives it, and then it is a chat. Whoever calls during
/// a chat is told that this peer is busy.
/// </summary>
/// <param name="calls">Of the inbox; its end is the end.</param>
/// <param name="lines">Answers to questions, and messages once there is a chat.</param>
/// <param name="output">Where it is told.</param>
/// <param name="settings">Whom to ask about.</param>
/// <param name="stays">The end of the lines ends nothing.</param>
/// <param name="describe">Whether we know somebody of this id and name, in a sentence.</param>
/// <param name="time">The clock behind time-outs.</param>
internal sealed class WaitSession(
    IAsyncEnumerable<IWaitingCall> calls, ChannelReader<InputLine> lines, ICallOutput output, WaitSettings settings, bool stays,
    Func<PeerId, string, string> describe, TimeProvider time)
{
    private static readonly TimeSpan NoPathDelay = TimeSpan.FromSeconds(3);

    // As many as an inbox lets ring.
    private readonly Channel<IWaitingCall> _next = Channel.CreateBounded<IWaitingCall>(PeerInbox.MaxRinging);
    private volatile bool _isInCall;

    /// <param name="interruption">Ends it at once.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken interruption)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interruption);
        var reading = ReadCallsAsync(stop.Token);
        try
        {
            while (await NextCallAsync(stop.Token) is { } call)
            {
                output.ShowCall(call.Peer, call.Name, describe(call.Peer, call.Name));
                if (await HasConsentAsync(call, stop.Token)) await ChatAsync(call, stop.Token);
                interruption.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (interruption.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
        finally
        {
            await stop.CancelAsync();
        }
        await reading;
        return ExitCode.Done;
    }

    private async Task ReadCallsAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var call in calls.WithCancellation(stop))
            {
                if (_isInCall || !_next.Writer.TryWrite(call)) await TellBusyAsync(call);
            }
            _next.Writer.TryComplete();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _next.Writer.TryComplete();
        }
        catch (PunchlineException exception)
        {
            _next.Writer.TryComplete(exception);
        }
    }

    // Null: nothing is to be waited for any more.
    private async Task<IWaitingCall?> NextCallAsync(CancellationToken stop)
    {
        var hasCall = _next.Reader.WaitToReadAsync(stop).AsTask();
        while (true)
        {
            var hasLine = lines.WaitToReadAsync(stop).AsTask();
            // Who stays waits for calls alone, once the lines have ended.
            var isCall = await Task.WhenAny(hasCall, hasLine) == hasCall || (!await hasLine && stays);
            if (isCall)
            {
                if (!await hasCall) return null;
                if (_next.Reader.TryRead(out var call) && !call.Withdrawn.IsCompleted) return call;
                hasCall = _next.Reader.WaitToReadAsync(stop).AsTask();
            }
            else if (!lines.TryRead(out _))
            {
                return null;
            }
            else
            {
                output.Notice("Nobody calls just now, so nobody hears that.");
            }
        }
    }

    private async Task<bool> HasConsentAsync(IWaitingCall call, CancellationToken stop)
    {
        if (settings.Accepts(call.Peer)) return true;
        if (settings.RefusesOthers || (lines.Completion.IsCompleted && stays))
        {
            output.Notice(settings.RefusesOthers ? "Refused, as --refuse-others says." : "Refused, for there is nobody to ask: --accept says whose calls to take.");
            await call.RefuseAsync(CallRefusal.Refused);
            return false;
        }
        output.AskWhetherToTakeIt();
        while (true)
        {
            var hasLine = lines.WaitToReadAsync(stop).AsTask();
            if (await Task.WhenAny(hasLine, call.Withdrawn) == call.Withdrawn)
            {
                output.ShowCallEnded(call.Peer, call.Name);
                return false;
            }
            if (!await hasLine || !lines.TryRead(out var line) || IsNo(line.Text))
            {
                await call.RefuseAsync(CallRefusal.Refused);
                return false;
            }
            if (IsYes(line.Text)) return true;
            output.AskWhetherToTakeIt();
        }
    }

    private async Task ChatAsync(IWaitingCall call, CancellationToken stop)
    {
        CallRoom taken;
        try
        {
            taken = await call.AcceptAsync();
        }
        catch (PunchlineException exception) when (exception.Error == PunchlineError.CallWithdrawn)
        {
            output.ShowCallEnded(call.Peer, call.Name);
            return;
        }
        _isInCall = true;
        while (_next.Reader.TryRead(out var other)) await TellBusyAsync(other);
        await new ChatSession(taken.Room, taken.Lines ?? lines, taken.Output, stays && taken.Lines is null, time) { IsCall = true, NoPathDelay = NoPathDelay }.RunAsync(stop);
        _isInCall = false;
        // A yes that was typed beside the call is not for the next.
        while (taken.Lines is not null && lines.TryRead(out _)) output.Notice("During the call, nobody heard what was typed here.");
        output.Notice("The call is over.");
    }

    private async Task TellBusyAsync(IWaitingCall call)
    {
        if (call.Withdrawn.IsCompleted) return;
        output.Notice($"{PeerText.Clean(call.Name)} ({PlainOutput.ShortId(call.Peer)}…) called too, and heard that you are busy.");
        await call.RefuseAsync(CallRefusal.Busy);
    }

    private static bool IsYes(string? text) => text?.Trim().ToUpperInvariant() is "YES" or "Y";

    private static bool IsNo(string? text) => text?.Trim().ToUpperInvariant() is "NO" or "N";
}
