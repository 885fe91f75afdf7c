using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Lab.Tests.Harness;

/// <summary>A node of ours that serves others, on a socket in a lab, in this very process.</summary>
internal sealed class LabDhtNode : IDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(50);

    private readonly LabSocket _socket;
    private readonly DhtNode _node = new(new SystemRandom());
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Search> _searches = [];
    private volatile bool _isOver;

    /// <param name="socket">Its own.</param>
    /// <param name="bootstrap">With whom it begins.</param>
    public LabDhtNode(LabSocket socket, IPEndPoint? bootstrap)
    {
        _socket = socket;
        _node.SetReadOnly(false, Now);
        if (bootstrap is not null) _node.AddBootstrap(Endpoint.From(bootstrap), Now);
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    public IPEndPoint Address => _socket.Local;

    public DhtStatistics Statistics
    {
        get
        {
            lock (_gate) return _node.Statistics;
        }
    }

    private Timestamp Now => new(Stopwatch.GetElapsedTime(_start).Ticks);

    /// <summary>Carries out a search to its end.</summary>
    public Task<(DhtSearchOutcome Outcome, IReadOnlyList<Endpoint> Peers, byte[] Item)> SearchAsync(Func<DhtNode, Timestamp, int?> start)
    {
        var search = new Search();
        lock (_gate) _searches.Add(start(_node, Now) ?? throw new InvalidOperationException("Too many searches."), search);
        return search.Ended.Task;
    }

    public void Dispose()
    {
        _isOver = true;
        _thread.Join();
        _socket.Dispose();
    }

    private void Run()
    {
        var buffer = new byte[DhtNode.MaxTransmitLength];
        while (!_isOver)
        {
            TimeSpan wait;
            lock (_gate)
            {
                while (_node.TryDequeueTransmit(Now, buffer, out var transmit)) _socket.Send(buffer.AsSpan(0, transmit.Length), transmit.Destination.ToIPEndPoint());
                while (_node.TryDequeueEvent(out var dhtEvent)) Handle(dhtEvent);
                wait = _node.NextTimeout - Now;
            }
            var isThere = _socket.TryReceive(buffer, wait < MaxWait ? wait : MaxWait, out var length, out var source);
            lock (_gate)
            {
                if (isThere) _node.HandleDatagram(Endpoint.From(source), buffer.AsSpan(0, length), Now);
                if (_node.NextTimeout <= Now) _node.HandleTimeout(Now);
            }
        }
    }

    private void Handle(DhtEvent dhtEvent)
    {
        switch (dhtEvent)
        {
            case DhtEvent.PeerFound found when _searches.TryGetValue(found.Search, out var search):
                search.Peers.Add(found.Peer);
                break;
            case DhtEvent.ItemFound found when _searches.TryGetValue(found.Search, out var search):
                search.Item = found.Value.ToArray();
                break;
            case DhtEvent.SearchEnded ended when _searches.Remove(ended.Search, out var search):
                search.Ended.SetResult((ended.Outcome, search.Peers, search.Item));
                break;
        }
    }

    private sealed class Search
    {
        public List<Endpoint> Peers { get; } = [];

        public byte[] Item { get; set; } = [];

        public TaskCompletionSource<(DhtSearchOutcome, IReadOnlyList<Endpoint>, byte[])> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class SystemRandom : IRandomSource
    {
        public void Fill(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);
    }
}
