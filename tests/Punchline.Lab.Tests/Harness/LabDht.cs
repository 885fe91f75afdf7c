using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Punchline.Cli.Lab;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Lab.Tests.Harness;

/// <summary>
/// A BitTorrent DHT on the public side of a lab: nodes of ours that serve others, at an address of a node of the lab each, in this very process.
/// </summary>
internal sealed class LabDht : IDisposable
{
    private const int Port = 6_881;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<Member> _members = [];

    private LabDht()
    {
    }

    /// <summary>What the tool is given to begin with.</summary>
    public string Bootstrap => _members[0].Address.ToString();

    /// <summary>Starts a node at each of these, and returns when all know some of the others.</summary>
    public static async Task<LabDht> StartAsync(NatLab lab, IEnumerable<string> nodes)
    {
        var dht = new LabDht();
        try
        {
            foreach (var node in nodes) dht._members.Add(new Member(LabSocket.Open(lab, node, Port), dht._members.FirstOrDefault()?.Address));
            var start = Stopwatch.GetTimestamp();
            while (dht._members.Exists(member => member.KnownNodes < Math.Min(dht._members.Count - 1, Lookup.Width) / 2))
            {
                Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"The DHT's nodes know {string.Join(", ", dht._members.Select(member => member.KnownNodes))} others.");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
            return dht;
        }
        catch
        {
            dht.Dispose();
            throw;
        }
    }

    public void Dispose() => _members.ForEach(member => member.Dispose());

    private sealed class Member : IDisposable
    {
        private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(100);

        private readonly LabSocket _socket;
        private readonly DhtNode _node = new(new SystemRandom());
        private readonly long _start = Stopwatch.GetTimestamp();
        private readonly Thread _thread;
        private volatile int _knownNodes;
        private volatile bool _isOver;

        public Member(LabSocket socket, IPEndPoint? bootstrap)
        {
            _socket = socket;
            _node.SetReadOnly(false, Now);
            if (bootstrap is not null) _node.AddBootstrap(Endpoint.From(bootstrap.Address, (ushort)bootstrap.Port), Now);
            _thread = new Thread(Run) { IsBackground = true };
            _thread.Start();
        }

        public IPEndPoint Address => _socket.Local;

        public int KnownNodes => _knownNodes;

        private Timestamp Now => new(Stopwatch.GetElapsedTime(_start).Ticks);

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
                while (_node.TryDequeueTransmit(Now, buffer, out var transmit)) _socket.Send(buffer.AsSpan(0, transmit.Length), transmit.Destination.ToIPEndPoint());
                while (_node.TryDequeueEvent(out _))
                {
                    // Nobody here looks for anything.
                }
                _knownNodes = _node.Statistics.UsableNodes;
                var wait = _node.NextTimeout - Now;
                if (_socket.TryReceive(buffer, wait < MaxWait ? wait : MaxWait, out var length, out var source))
                    _node.HandleDatagram(Endpoint.From(source.Address, (ushort)source.Port), buffer.AsSpan(0, length), Now);
                if (_node.NextTimeout <= Now) _node.HandleTimeout(Now);
            }
        }
    }

    private sealed class SystemRandom : IRandomSource
    {
        public void Fill(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);
    }
}
