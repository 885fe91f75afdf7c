using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Punchline.Cli.Lab;

namespace Punchline.Soak;

/// <summary>
/// The room and what happens to it. Between a sender's and a receiver's stay:
/// <list type="bullet">
/// <item>what is shown is a sequence without a gap, from some number on, each once and in order;</item>
/// <item>it begins with, or before, the first that the sender said once it knew that the receiver is connected;</item>
/// <item>it ends with the last that was said, where both stay to the end, or where the sender left properly and its exit code says
/// that all was delivered; where the sender was killed or stopped, or the receiver went, any earlier end will do;</item>
/// <item>what the sender was told is delivered was shown, where the receiver was not killed.</item>
/// </list>
/// A sender that was told that the receiver is gone, by time-out, need not have said anything to it until it came back.
/// </summary>
internal sealed class SoakRoom(SoakOptions options, string tool, string homes, string logs)
{
    private const int ServerPort = 8080;

    /// <summary>These stay from the beginning to the end: their memory is measured, and between them nothing may be missing.</summary>
    private const int Residents = 3;

    /// <summary>What the line through a process's resident memory may rise by in the second half: the collector's own ups and downs.</summary>
    private const double MaxGrowthMebibytes = 6;

    /// <summary>Below, a trend is the warming up of the runtime, and not judged.</summary>
    private static readonly TimeSpan MinMeasured = TimeSpan.FromMinutes(10);

    /// <summary>
    /// 4 MiB, for all processes: the collector's own choice is the size of the last cache, and a server of a small room takes hours
    /// to fill 32 MiB with garbage for the first time, which looks like a leak.
    /// </summary>
    private const string NurseryBytes = "0x400000";

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Each member says something every second on average.</summary>
    private static readonly TimeSpan SayInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long the server is away at most.</summary>
    private static readonly TimeSpan MaxServerAbsence = TimeSpan.FromSeconds(20);

    /// <summary>Who leaves waits 10 s for one who was killed, and then says that not all was delivered; that one is gone after 17 s.</summary>
    private static readonly TimeSpan UndeliveredTime = TimeSpan.FromSeconds(30);

    /// <summary>What a process has said may still be in its pipe when another's end is seen.</summary>
    private static readonly TimeSpan ReadingTime = TimeSpan.FromSeconds(3);

    /// <summary>Something else happens to one of them every four seconds on average.</summary>
    private static readonly TimeSpan HappenInterval = TimeSpan.FromSeconds(4);

    private static readonly LabNat[] Networks =
    [
        LabNat.FullCone, LabNat.AddressRestricted, LabNat.PortRestricted, LabNat.PortRestricted, LabNat.PortRestrictedRandomPort, LabNat.Firewall,
    ];

    // What happens when, not a secret.
#pragma warning disable CA5394
    private readonly Random _random = new(options.Seed);
    private readonly Channel<(SoakStay Stay, string? Line)> _told = Channel.CreateUnbounded<(SoakStay, string?)>();
    private readonly List<SoakStay> _stays = [];
    private readonly SoakStay?[] _current = new SoakStay?[options.Members];
    private readonly List<Task> _reading = [];
    private readonly List<string> _violations = [];
    private readonly MemoryTrend _serverMemory = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Dictionary<string, int> _counts = [];
    private NatLab? _lab;
    private LabProcess? _server;
    private TimeSpan _serverReturns;
    private TimeSpan _lastKill = -UndeliveredTime;
    private string _serverOption = "";

    public IReadOnlyList<string> Violations => _violations;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var lab = _lab = await NatLab.UpAsync(
            [.. Networks.Select((nat, i) => new LabSite($"{(char)('a' + i)}", nat)
            {
                Hosts = (options.Members + Networks.Length - 1) / Networks.Length,
                Carrier = i == 3 ? LabNat.PortRestricted : null,
            })],
            cancellationToken);
        try
        {
            await StartServerAsync(cancellationToken);
            for (var i = 0; i < options.Members; i++) Start(i);
            await UntilAsync(IsFullMesh, "all are connected to all, in the beginning", cancellationToken);
            await LiveAsync(cancellationToken);
            await EndAsync(cancellationToken);
            CheckPairs();
        }
        finally
        {
            foreach (var stay in _stays) await stay.DisposeAsync();
            if (_server is not null) await _server.DisposeAsync();
            await Task.WhenAll(_reading);
        }
    }

    public string Report()
    {
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed.TotalMinutes:0.0} min, {options.Members} members in {Networks.Length} networks, seed {options.Seed}:"),
            string.Create(CultureInfo.InvariantCulture, $"  {_stays.Count} stays; {string.Join(", ", _counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Value} × {count.Key}"))}"),
            string.Create(CultureInfo.InvariantCulture, $"  {_stays.Sum(stay => stay.Said)} messages said, {_stays.Sum(stay => stay.Shown)} shown"),
            Describe("server", _serverMemory),
        };
        lines.AddRange(_stays.Where(stay => stay.Member < Residents).Select(stay => Describe(stay.Name, stay.Memory)));
        lines.Add(_violations.Count == 0 ? "All promises kept." : $"{_violations.Count} BROKEN PROMISES:");
        lines.AddRange(_violations.Take(50).Select(violation => $"  {violation}"));
        return string.Join('\n', lines);
    }

    private static string Describe(string name, MemoryTrend memory) => string.Create(
        CultureInfo.InvariantCulture,
        $"  {name}: {memory.Mebibytes:0.0} MiB resident, {memory.Slope:+0.0;-0.0} MiB an hour over the second half ({memory.Growth:+0.0;-0.0} MiB, {memory.Count} samples)");

    private async Task LiveAsync(CancellationToken cancellationToken)
    {
        var (start, half, end) = (_clock.Elapsed, _clock.Elapsed + (options.Duration / 2), _clock.Elapsed + options.Duration);
        var (nextSample, nextLine) = (half, start + TimeSpan.FromMinutes(1));
        while (_clock.Elapsed < end || _server is null)
        {
            await PumpAsync(cancellationToken);
            if (_server is null && _clock.Elapsed >= _serverReturns) await StartServerAsync(cancellationToken);
            foreach (var stay in _current)
            {
                if (stay is { IsPresent: true } && Happens(SayInterval)) Say(stay);
            }
            if (Happens(HappenInterval)) await HappenAsync(isSecondHalf: _clock.Elapsed > half);
            if (_clock.Elapsed >= nextSample)
            {
                nextSample += SampleInterval;
                Sample();
            }
            if (_clock.Elapsed >= nextLine)
            {
                nextLine += TimeSpan.FromMinutes(1);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed:hh\\:mm\\:ss} {_stays.Count} stays, {_stays.Sum(stay => stay.Shown)} messages shown, {_stays.Sum(stay => stay.Violations.Count) + _violations.Count} broken promises"));
            }
        }
    }

    private bool Happens(TimeSpan interval) => _random.NextDouble() < Step / interval;

    private void Say(SoakStay stay)
    {
        var times = _random.Next(50) == 0 ? 20 : 1;
        for (var i = 0; i < times; i++) stay.Say(padding: _random.Next(20) == 0 ? 10_000 : _random.Next(100));
    }

    private async Task HappenAsync(bool isSecondHalf)
    {
        // The server's memory is measured in the second half, so its process has to be one.
        if (!isSecondHalf && _server is { } server && _random.Next(20) == 0)
        {
            Count("server killed");
            _server = null;
            server.Kill();
            await server.DisposeAsync();
            _serverReturns = _clock.Elapsed + (MaxServerAbsence * _random.NextDouble());
            return;
        }
        var member = Residents + _random.Next(options.Members - Residents);
        switch (_current[member])
        {
            case null when _server is not null:
                Start(member);
                break;
            case { IsPresent: true } stay:
                switch (_random.Next(3))
                {
                    case 0:
                        Count("left");
                        stay.EndInput();
                        break;
                    case 1:
                        Count("stopped");
                        stay.Stop();
                        break;
                    default:
                        Count("killed");
                        _lastKill = _clock.Elapsed;
                        stay.Kill();
                        break;
                }
                break;
        }
    }

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < options.Members; i++)
        {
            while (_current[i] is { End: not StayEnd.None }) await WaitAsync(Step, cancellationToken);
            if (_current[i] is null) Start(i);
        }
        await UntilAsync(IsFullMesh, "all are connected to all, in the end", cancellationToken);
        foreach (var stay in _current) stay!.Say(padding: 0);
        await UntilAsync(
            () => _current.All(one => _current.All(other => one == other || one!.HasEverything(other!))), "all have everything, in the end", cancellationToken);
        foreach (var stay in _current) stay!.EndInput();
        await UntilAsync(() => _current.All(stay => stay is null), "all have left, in the end", cancellationToken);
    }

    private bool IsFullMesh() => _current.All(one => one is { IsPresent: true } && _current.All(other => one == other || (other is { IsPresent: true } && one.IsConnectedTo(other))));

    private void Start(int member)
    {
        var site = member % Networks.Length;
        var node = string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + site)}{1 + (member / Networks.Length)}");
        var name = string.Create(CultureInfo.InvariantCulture, $"{node}.{_stays.Count}");
        var process = StartTool(node, $"{node}-home", ["join", "soak", "--server", _serverOption, "--name", name, "--json"]);
        var stay = new SoakStay(name, member, process, Path.Combine(logs, $"{name}.log"));
        _stays.Add(stay);
        _current[member] = stay;
        _reading.Add(ReadAsync(stay));
    }

    private LabProcess StartTool(string node, string home, params IEnumerable<string> arguments)
    {
        var directory = Directory.CreateDirectory(Path.Combine(homes, home)).FullName;
        return _lab!.Start(
            node, "env", ["-u", "XDG_CONFIG_HOME", "-u", "XDG_DATA_HOME", "-u", "XDG_STATE_HOME", $"HOME={directory}", $"DOTNET_GCgen0size={NurseryBytes}", tool, .. arguments]);
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        var server = _server = StartTool("s1", "s1-home", ["serve", ServerPort.ToString(CultureInfo.InvariantCulture)]);
        var address = string.Create(CultureInfo.InvariantCulture, $"{_lab!.AddressOf("s1")}:{ServerPort}");
        while (await server.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.Contains($"--server {address}", StringComparison.Ordinal)) continue;
            _serverOption = line[(line.IndexOf("--server ", StringComparison.Ordinal) + "--server ".Length)..].Split(' ')[0];
            // Or it would stop at a full pipe.
            _reading.Add(server.StandardOutput.ReadToEndAsync(CancellationToken.None));
            return;
        }
        throw new InvalidOperationException($"The server did not start: {server.ErrorTail}");
    }

    private async Task ReadAsync(SoakStay stay)
    {
        await foreach (var line in stay.ReadLinesAsync()) _told.Writer.TryWrite((stay, line));
        _told.Writer.TryWrite((stay, null));
    }

    private async Task UntilAsync(Func<bool> condition, string what, CancellationToken cancellationToken)
    {
        var start = _clock.Elapsed;
        while (!condition())
        {
            if (_clock.Elapsed - start > Patience)
            {
                _violations.Add($"Not within {Patience.TotalSeconds:0} s: {what}.");
                return;
            }
            await PumpAsync(cancellationToken);
        }
    }

    private async Task WaitAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        for (var end = _clock.Elapsed + duration; _clock.Elapsed < end;) await PumpAsync(cancellationToken);
    }

    // What was told meanwhile, and then a moment for more.
    private async Task PumpAsync(CancellationToken cancellationToken)
    {
        while (_told.Reader.TryRead(out var told))
        {
            if (told.Line is { } line) Handle(told.Stay, line);
            else await FinishAsync(told.Stay, cancellationToken);
        }
        await Task.Delay(Step, cancellationToken);
    }

    private void Handle(SoakStay stay, string line)
    {
        var told = SoakEvent.Parse(line);
        stay.Handle(told, _clock.Elapsed, line);
        var other = _stays.FindLast(known => string.Equals(known.Name, stay.StayOf(told.Peer), StringComparison.Ordinal));
        switch (told.Name)
        {
            case "connected" when other is not null:
                stay.SaidBefore.TryAdd(other, stay.Said);
                break;
            case "left" when other is { End: StayEnd.None }:
                Count("taken for gone while there");
                other.Missed.Add(stay.Name);
                break;
            case "failed":
                Count($"failed ({told.Text})");
                break;
            case "disconnected" when other is { End: StayEnd.None }:
                Count($"disconnected from one who was there ({told.Text})");
                break;
        }
    }

    private async Task FinishAsync(SoakStay stay, CancellationToken cancellationToken)
    {
        var exitCode = await stay.WaitForExitAsync(cancellationToken);
        stay.EndedAt = _clock.Elapsed;
        if (stay is { End: StayEnd.None, Id: "" } && _server is null) Count("could not join without the server");
        else if (stay.End == StayEnd.None) stay.Break($"ended by itself with {exitCode}: {stay.ErrorTail}");
        else if (stay.End == StayEnd.Left && exitCode == 1 && _clock.Elapsed - _lastKill < UndeliveredTime) stay.End = StayEnd.Stopped;
        else if (stay.End != StayEnd.Killed && exitCode != 0) stay.Break($"ended with {exitCode}: {stay.ErrorTail}");
        if (stay.End == StayEnd.None) stay.End = StayEnd.Killed;
        if (_current[stay.Member] == stay) _current[stay.Member] = null;
    }

    private void CheckPairs()
    {
        foreach (var sender in _stays)
        {
            foreach (var (receiver, before) in sender.SaidBefore) CheckPair(sender, receiver, before);
            _violations.AddRange(sender.Violations);
            if (sender.Member < Residents && HasGrown(sender.Memory)) _violations.Add($"{sender.Name}: memory grew.\n{Describe(sender.Name, sender.Memory)}");
        }
        if (HasGrown(_serverMemory)) _violations.Add($"The server's memory grew.\n{Describe("server", _serverMemory)}");
    }

    private bool HasGrown(MemoryTrend memory) => options.Duration / 2 >= MinMeasured && memory.Growth > MaxGrowthMebibytes;

    private static void CheckPair(SoakStay sender, SoakStay receiver, int saidBefore)
    {
        var (first, last) = (receiver.FirstShown(sender), receiver.LastShown(sender));
        if (first > saidBefore + 1 && !receiver.Missed.Contains(sender.Name)) receiver.Break($"was shown nothing of {sender.Name} before {first}, and should from {saidBefore + 1} on");
        if (sender.End == StayEnd.Left && receiver.EndedAt > sender.EndedAt + ReadingTime && last != sender.Said && sender.Said > saidBefore)
            receiver.Break($"was shown {sender.Name} up to {last}, who left behind {sender.Said}");
        if (receiver.End == StayEnd.Killed) return;
        if (sender.LastDelivered(receiver) is var delivered && delivered > last)
            receiver.Break($"has {sender.Name} {delivered}, as {sender.Name} was told, and was shown {last} at last");
    }

    private void Sample()
    {
        if (_server?.FindProgramId() is { } server && MemoryTrend.Measure(server) is { } size) _serverMemory.Add(_clock.Elapsed, size);
        foreach (var stay in _stays.Where(stay => stay.Member < Residents && stay.IsPresent))
        {
            if (stay.ProcessId is { } id && MemoryTrend.Measure(id) is { } resident) stay.Memory.Add(_clock.Elapsed, resident);
        }
    }

    private void Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;
}
