using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Web;

/// <summary>Does what a page asks, on one node: rooms and calls, several at once, and an inbox. Thread-safe.</summary>
/// <param name="node">This peer.</param>
/// <param name="self">What a page shows of it.</param>
/// <param name="settings">What is the same for all rooms.</param>
/// <param name="history">Where what is said is kept; null: nowhere.</param>
/// <param name="time">The clock.</param>
internal sealed class WebDesk(PeerNode node, WebSelf self, MeetingSettings settings, HistoryStore? history, TimeProvider time) : IWebDesk, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, WebConversation> _conversations = [];
    private readonly WebDoctor _doctor = new(settings.MapsNoPort);
    private WebCalls? _inbox;

    public SessionModel Session { get; } = new(time) { KeepsEndedRooms = true, Known = settings.StateDirectory is { } directory ? new KnownPeers(directory) : null, Barrier = node.SetBlocked };

    public PeerId Id => node.Id;

    public WebSelf Self => self;

    public int Join(JoinRequest request)
    {
        var room = request.Room.Trim();
        var isInvented = room.Length == 0;
        // What was typed in a page is never the name of a file.
        var secret = request.Secret.Length > 0 ? RoomSecret.FromText(request.Secret) : isInvented ? RoomSecret.Invent() : RoomSecret.None;
        var met = WebPlace.Read(request.Place, request.Server);
        CheckSecret(secret, met);
        var options = new RoomOptions
        {
            Server = met.Server,
            UseDht = met.UsesDht,
            DisplayName = MeetingOptions.CheckName(request.Name),
            Room = isInvented ? Invented.RoomName() : JoinArguments.CheckRoom(room),
            Secret = secret.Text,
            TrustFirst = settings.TrustsFirst,
            LocalDiscovery = !settings.HasNoMdns && !settings.HidesHostCandidates && secret.IsHardToGuess,
        };
        var place = (met, options.Room, options.Secret);
        lock (_gate)
        {
            if (_conversations.Values.Any(conversation => !conversation.IsOver && conversation.Place == place)) throw new UsageException("You are in that room already.");
        }
        var model = Open(options.Room, options.DisplayName, hasServer: met.Server is not null);
        if (met.UsesDht) model.Notice("Asking the DHT, which takes some seconds. Whoever watches the room's topic there sees its members' addresses.");
        else if (met.IsLan) model.Notice("Only members on this network are found.");
        if (secret.Text.Length == 0)
            model.Notice($"The room {options.Room} is open: whoever guesses its name is in it, and its server could listen in. With a secret, only those in the know are.");
        else if (secret.IsWeak)
            model.Notice("This secret is easy to guess.");
        if (isInvented) model.Notice($"Others join with this line:\n{JoinSettings.InvitationTo(options.Room, met.OptionsOf(settings), secret)}");
        return Start(new WebConversation(model, time, isCall: false) { Place = place }, stop => node.JoinRoomAsync(options, stop), exception => exception.Message);
    }

    public int Call(CallRequest request)
    {
        var met = WebPlace.ReadForCalls(request.Place, request.Server);
        var place = new CallPlace(met.Server, met.UsesDht, settings.Bootstraps, MeetingOptions.CheckName(request.Name), settings.TrustsFirst);
        var peer = PeerArgument.Resolve(request.Peer.Trim(), settings.StateDirectory);
        if (peer == Id) throw new UsageException("This is your own id: nobody calls itself.");
        if (Session.IsBlocked(peer)) throw new UsageException("You have blocked this peer. Unblock it first: punchline peers unblock.");
        var model = Open($"{peer}", place.Name, hasServer: met.Server is not null);
        model.Notice($"Calling {PlainOutput.ShortId(peer)}…, for up to a minute. It sees this machine's addresses.");
        return Start(
            new WebConversation(model, time, isCall: true), stop => node.CallAsync(place.To(peer), stop),
            exception => place.ProblemOf(exception) is { } problem ? $"{problem.Detail} {problem.Advice}" : exception.Message);
    }

    public void Send(int room, string text)
    {
        WebConversation? conversation;
        lock (_gate) conversation = _conversations.GetValueOrDefault(room);
        (conversation ?? throw NoRoom()).Send(text);
    }

    public void Leave(int room)
    {
        WebConversation? conversation;
        lock (_gate) _conversations.Remove(room, out conversation);
        if (conversation is null) throw NoRoom();
        _ = LeaveAsync(conversation);
    }

    public async Task WaitAsync(WaitRequest request)
    {
        var met = WebPlace.ReadForCalls(request.Place, request.Server);
        if (met.UsesDht && !request.Reachable) throw new UsageException("In the DHT whoever knows your id sees this machine's public address for as long as you wait, and no consent is asked for that. Say below that you want it, or wait at a server.");
        var options = new InboxOptions { Server = met.Server, UseDht = met.UsesDht, DisplayName = MeetingOptions.CheckName(request.Name), TrustFirst = settings.TrustsFirst };
        var inbox = new WebCalls(node, options, met.OptionsOf(settings), Session, (peer, name) => Acquaintance.Describe(Session.Known, peer, name), time);
        WebCalls? over;
        lock (_gate)
        {
            if (_inbox is { IsOver: false }) throw new UsageException("Calls are waited for already.");
            over = _inbox;
            _inbox = inbox;
        }
        if (over is not null) await over.DisposeAsync();
        await inbox.OpenAsync();
    }

    public async Task StopWaitingAsync()
    {
        WebCalls? inbox;
        lock (_gate)
        {
            inbox = _inbox;
            _inbox = null;
        }
        if (inbox is not null) await inbox.DisposeAsync();
    }

    public int Answer(int call)
    {
        var inbox = Inbox();
        var ringing = inbox.Take(call);
        var model = Open($"{ringing.Peer}", inbox.Name, inbox.HasServer);
        return Start(new WebConversation(model, time, isCall: true), ringing.AcceptAsync, exception => exception.Message);
    }

    public Task RefuseAsync(int call) => Inbox().Take(call).RefuseAsync(CallRefusal.Refused).AsTask();

    public void Verify(PeerId peer)
    {
        if (!Session.Verify(peer)) throw new UsageException("This peer is not remembered, so there is nothing to note.");
    }

    public void Block(PeerId peer, bool isBlocked)
    {
        try
        {
            Session.Block(peer, isBlocked);
        }
        catch (InvalidOperationException exception)
        {
            throw new UsageException(exception.Message);
        }
    }

    public Task<WebDiagnosis> ExamineAsync(ExamineRequest request, CancellationToken cancellationToken) => _doctor.ExamineAsync(request.Server, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        WebConversation[] open;
        lock (_gate) open = [.. _conversations.Values];
        await StopWaitingAsync();
        await Task.WhenAll(open.Select(conversation => conversation.DisposeAsync().AsTask()));
    }

    private static UsageException NoRoom() => new("There is no such room any more.");

    // What the terminal refuses, too; there an option overrides it.
    private static void CheckSecret(RoomSecret secret, WebPlace place)
    {
        if (secret.IsHardToGuess || place.Server is not null) return;
        var why = secret.Text.Length == 0 ? "This room has no secret." : "This secret is easy to guess.";
        throw new UsageException($"{why} {(place.UsesDht
            ? "In the DHT whoever guesses a room's name and secret is in it, and sees its members' addresses."
            : "On this network anybody can try out secrets.")} Leave the room's name empty, and a strong secret is made up.");
    }

    private WebCalls Inbox()
    {
        lock (_gate) return _inbox ?? throw new UsageException("No calls are waited for.");
    }

    private RoomModel Open(string name, string selfName, bool hasServer)
    {
        try
        {
            return Session.Open(name, Id, selfName, Silence.Instance, hasServer);
        }
        catch (InvalidOperationException)
        {
            throw new UsageException($"{SessionModel.MaxRooms} rooms are open. Leave one first.");
        }
    }

    private int Start(WebConversation conversation, Func<CancellationToken, ValueTask<Room>> open, Func<PunchlineException, string> describe)
    {
        lock (_gate) _conversations[conversation.Number] = conversation;
        conversation.Start(open, room => history?.Open(room), (room, output) => OutputFor(room, output, conversation.IsCall), describe);
        return conversation.Number;
    }

    private AcquaintanceOutput OutputFor(Room room, IChatOutput inner, bool isCall) => new(
        inner, Session.Known is { } known ? (peer, name) => known.Meet(room, peer, name, time.GetUtcNow()) : null, room.IsOpen && !isCall ? peer => SafetyNumber.Of(Id, peer) : null);

    private async Task LeaveAsync(WebConversation conversation)
    {
        await conversation.DisposeAsync();
        Session.Forget(conversation.Number);
    }
}
