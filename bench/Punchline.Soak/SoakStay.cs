using System.Globalization;
using System.Threading.Channels;
using Punchline.Cli.Lab;

namespace Punchline.Soak;

/// <summary>How a stay came to its end.</summary>
internal enum StayEnd
{
    /// <summary>It has not: the process is in the room.</summary>
    None,

    /// <summary>End of input, which waits until everything is delivered.</summary>
    Left,

    /// <summary>SIGTERM, which leaves at once.</summary>
    Stopped,

    /// <summary>SIGKILL.</summary>
    Killed,
}

/// <summary>
/// One process's stay in the room: what it says, and what it is told, checked as it comes. All of it happens on one thread,
/// but for the pumps between channels and the process's streams.
/// </summary>
internal sealed class SoakStay : IAsyncDisposable
{
    private const int MaxViolations = 20;

    private readonly LabProcess _process;
    private readonly StreamWriter _log;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task _writing;
    private readonly Dictionary<string, string> _states = [];
    // By the sender's stay: the last number shown.
    private readonly Dictionary<string, int> _shown = [];
    private readonly Dictionary<string, int> _firstShown = [];
    // By peer, which stay of it was last heard of.
    private readonly Dictionary<string, string> _stayOf = [];
    // By stay: the last number that it is said to have.
    private readonly Dictionary<string, long> _delivered = [];
    private readonly Dictionary<string, long> _deliveredToPeer = [];
    private readonly List<string> _violations = [];

    public SoakStay(string name, int member, LabProcess process, string logFile)
    {
        Name = name;
        Member = member;
        _process = process;
        _log = new StreamWriter(logFile);
        _writing = WriteAsync();
    }

    public string Name { get; }

    /// <summary>Which of the members it is; later stays of the same one have the same id.</summary>
    public int Member { get; }

    /// <summary>The peer's id; empty until it is in the room.</summary>
    public string Id { get; private set; } = "";

    public StayEnd End { get; set; }

    /// <summary>When its process had ended and all it printed was read.</summary>
    public TimeSpan EndedAt { get; set; }

    /// <summary>In the room, as far as is known.</summary>
    public bool IsPresent => End == StayEnd.None && Id.Length > 0;

    public int Said { get; private set; }

    public long Shown { get; private set; }

    public MemoryTrend Memory { get; } = new();

    public IReadOnlyList<string> Violations => _violations;

    /// <summary>Members whose leaving was told to this one, though they were there: what was said meanwhile was not for them.</summary>
    public HashSet<string> Missed { get; } = [];

    /// <summary>By the other's stay: what had been said when this one first knew that the other is connected. The rest is for the other.</summary>
    public Dictionary<SoakStay, int> SaidBefore { get; } = [];

    public int? ProcessId => _process.FindProgramId();

    public string ErrorTail => _process.ErrorTail;

    public async IAsyncEnumerable<string> ReadLinesAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line) yield return line;
    }

    public bool IsConnectedTo(SoakStay other) => _states.GetValueOrDefault(other.Id) == "connected" && StayOf(other.Id) == other.Name;

    /// <summary>Of the peer with this id, the one that was last heard of.</summary>
    public string StayOf(string peer) => _stayOf.GetValueOrDefault(peer, "");

    public bool HasEverything(SoakStay sender) => LastShown(sender) == sender.Said;

    /// <summary>0: nothing yet.</summary>
    public int FirstShown(SoakStay sender) => _firstShown.GetValueOrDefault(sender.Name);

    public int LastShown(SoakStay sender) => _shown.GetValueOrDefault(sender.Name);

    public long LastDelivered(SoakStay receiver) => _delivered.GetValueOrDefault(receiver.Name);

    public void Say(int padding)
    {
        Said++;
        _lines.Writer.TryWrite(string.Create(CultureInfo.InvariantCulture, $"{Name} {Said} {new string('x', padding)}"));
    }

    /// <summary>Behind what was said.</summary>
    public void EndInput()
    {
        End = StayEnd.Left;
        _lines.Writer.TryComplete();
    }

    public void Stop()
    {
        End = StayEnd.Stopped;
        _process.Send(System.Runtime.InteropServices.PosixSignal.SIGTERM);
    }

    public void Kill()
    {
        End = StayEnd.Killed;
        _process.Kill();
    }

    public Task<int> WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    /// <summary>An event of the process; what it breaks is noted.</summary>
    public void Handle(SoakEvent told, TimeSpan at, string line)
    {
        _log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{at.TotalSeconds:0.000} {line}"));
        if (told.Name is "joined" or "connected") _stayOf[told.Peer] = told.Stay;
        switch (told.Name)
        {
            case "ready":
                Id = told.Peer;
                break;
            case "joined":
                Step(told, "", "joined");
                break;
            case "connected":
                Step(told, "joined", "connected");
                break;
            case "disconnected":
                Step(told, "connected", "joined");
                break;
            case "left":
                Step(told, "joined", "");
                break;
            case "failed":
                Step(told, "joined", "joined");
                break;
            case "path":
                Step(told, "connected", "connected");
                break;
            case "message":
                Step(told, "connected", "connected");
                HandleMessage(told);
                break;
            case "delivered":
                Step(told, "connected", "connected");
                var last = _deliveredToPeer.GetValueOrDefault(told.Peer);
                if (told.Id <= last) Break($"{told.Id} arrived at {StayOf(told.Peer)} behind {last}");
                _deliveredToPeer[told.Peer] = _delivered[StayOf(told.Peer)] = told.Id;
                break;
        }
    }

    public void Break(string what)
    {
        if (_violations.Count < MaxViolations) _violations.Add($"{Name}: {what}");
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _process.DisposeAsync();
        await _writing;
        await _log.DisposeAsync();
    }

    // joined, (connected, messages and deliveries…, disconnected)…, left.
    private void Step(SoakEvent told, string from, string to)
    {
        var state = _states.GetValueOrDefault(told.Peer, "");
        if (!string.Equals(state, from, StringComparison.Ordinal)) Break($"was told \"{told.Name}\" of {told.Peer[..8]}, who was \"{state}\" and not \"{from}\"");
        _states[told.Peer] = to;
    }

    // From the first that is shown on every one, once and in order; only who was told that the other left may have left some out.
    private void HandleMessage(SoakEvent told)
    {
        Shown++;
        if (!told.TryReadMessage(out var sender, out var number))
        {
            Break($"was shown \"{told.Text}\"");
            return;
        }
        if (told.Id != number) Break($"was shown {sender} {number} as {told.Id}");
        if (_shown.TryGetValue(sender, out var last))
        {
            if (number <= last) Break($"was shown {sender} {number} behind {last}");
            else if (number != last + 1 && !Missed.Contains(sender)) Break($"was shown {sender} {number} right behind {last}");
        }
        else
        {
            _firstShown[sender] = number;
        }
        _shown[sender] = number;
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync())
            {
                await _process.StandardInput.WriteLineAsync(line);
                await _process.StandardInput.FlushAsync();
            }
            _process.EndInput();
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // It ended meanwhile, as it was told to; or its exit code says more. Of a process that was given back, Process says that it never had an input.
        }
    }
}
