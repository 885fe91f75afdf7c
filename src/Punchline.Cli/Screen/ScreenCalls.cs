using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Screen;

/// <summary>Calls that a screen's user makes, each in a room of its own.</summary>
/// <param name="node">This peer.</param>
/// <param name="place">Where peers are called, and as whom.</param>
/// <param name="stateDirectory">Where known peers are kept; null: nobody is known.</param>
/// <param name="screen">Shows them.</param>
/// <param name="tell">Makes what is told of a room, which may remember who is there.</param>
internal sealed class ScreenCalls(PeerNode node, CallPlace place, string? stateDirectory, FullScreen screen, Func<Room, RoomModel, IChatOutput> tell) : IAsyncDisposable
{
    private readonly List<Conversation> _conversations = [];

    /// <returns>Why nobody is called; null: it rings, or will.</returns>
    public string? Dial(string typed)
    {
        try
        {
            var peer = PeerArgument.Resolve(typed, stateDirectory);
            if (peer == node.Id) return "This is your own id: nobody calls itself.";
            if (!place.HasCalls) return "Calls need a server or the DHT, and this was started with neither: --server HOST or --dht.";
            _conversations.RemoveAll(conversation => conversation.IsOver);
            var (room, lines) = screen.OpenRoom($"call with {PlainOutput.ShortId(peer)}…");
            room.Notice($"Calling {PlainOutput.ShortId(peer)}…, for up to a minute. It sees this machine's addresses; /quit gives up.");
            var conversation = new Conversation(room, lines, TimeProvider.System) { IsCall = true };
            _conversations.Add(conversation);
            conversation.Start(
                stop => node.CallAsync(place.To(peer), stop), joined => tell(joined, room),
                exception => place.ProblemOf(exception) is { } problem ? $"{problem.Detail} {problem.Advice}" : exception.Message);
            return null;
        }
        catch (UsageException exception)
        {
            return exception.Message;
        }
        catch (InvalidOperationException)
        {
            return $"{SessionModel.MaxRooms} rooms and calls are open: leave one first.";
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_conversations.ToArray().Select(conversation => conversation.DisposeAsync().AsTask()));
}
