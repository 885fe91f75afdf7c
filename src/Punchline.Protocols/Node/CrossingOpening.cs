using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Two routers that count. Each side learns by STUN which port its socket's next mapping gets, tells the other, and then sends to many ports of the
/// other's at once: each packet is a new mapping, one step further, that expects the port it was sent to.
/// </summary>
/// <remarks>
/// Our j-th packet goes to the peer's port 2j and leaves from our port j + a, if others made a mappings meanwhile; the peer's i-th goes to
/// our port i and leaves from its i + b. They meet where i = j + a and 2j = i + b, which is j = a + b, i = 2a + b: always, as long as both are
/// among the packets. Were both sides to count singly, only a + b = 0 would do. Mappings that others make during the burst move a and b on, never
/// by more than the packets do, so that the difference of both sides comes by zero all the same.
/// At 35 others a second and 0.4 s from the sample to the burst, a and b are 14, j is 28 and i 42; at 0.8 s they are 28, 56 and 84.
/// </remarks>
internal sealed class CrossingOpening : PortOpening
{
    /// <summary>Packets of a burst, and mappings; and those where the server, and the sample with it, is far.</summary>
    public const int NearPackets = 64;
    public const int FarPackets = 128;

    private static readonly TimeSpan FarRoundTrip = TimeSpan.FromMilliseconds(250);

    /// <summary>From the openers to what gets through: the peer's openers are out by then.</summary>
    private static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(100);

    /// <summary>What a burst needs to get out.</summary>
    private static readonly TimeSpan BurstTime = TimeSpan.FromMilliseconds(5);

    private readonly ulong _target;
    private readonly Reflector _reflector;
    private readonly bool _doubles;
    private readonly int _retry;
    private readonly Queue<Endpoint> _handshakes = new();
    private Timestamp _handshakesAt = Timestamp.Never;

    /// <param name="services">The node's.</param>
    /// <param name="target">The peer's, in offers.</param>
    /// <param name="reflector">Who says where we are seen.</param>
    /// <param name="doubles">We are the side that goes by double steps.</param>
    /// <param name="plan">As ever.</param>
    /// <param name="retry">Crossings before this one.</param>
    public CrossingOpening(NodeServices services, ulong target, Reflector reflector, bool doubles, SearchPlan plan, int retry)
        : base(services, reflector.Endpoint, plan)
    {
        _target = target;
        _reflector = reflector;
        _doubles = doubles;
        _retry = retry;
        TryOpenSocket();
    }

    private int Packets => Services.ServerRoundTrip > FarRoundTrip ? FarPackets : NearPackets;

    /// <summary>When our burst went out.</summary>
    public Timestamp? SentAt { get; private set; }

    public bool IsKnown => Sockets is [{ Reflexive.Count: > 0 }];

    /// <summary>The peer's ports are known, as ours are: the openers leave now.</summary>
    /// <param name="offer">The peer's.</param>
    /// <param name="step">By which its router counts.</param>
    /// <param name="now">The time.</param>
    public void Send(PortOffer offer, int step, Timestamp now)
    {
        SentAt = now;
        // A bracket that begins meanwhile would have them all between its ports.
        Services.Search.ReserveNextPorts(now + BurstTime);
        var first = step > 0 ? offer.First.Port : offer.LastPort;
        for (var i = 0; i < Packets; i++)
        {
            var port = first + (step * (_doubles ? 2 * i : i));
            if (port is < NetworkProfile.LowestPort or > ushort.MaxValue) break;
            var destination = offer.First.WithPort((ushort)port);
            SendOpener(Sockets[0], destination, _retry);
            _handshakes.Enqueue(destination);
        }
        Services.Search.TakeBurst(_handshakes.Count, now);
        _handshakesAt = now + Lead;
        NextTimeout = _handshakesAt;
    }

    /// <summary>The next port that message 1 goes to.</summary>
    public override bool TryTakeHandshake(Timestamp now, out PathAddress path)
    {
        path = default;
        if (now < _handshakesAt || !_handshakes.TryPeek(out var destination)) return false;
        if (!Services.ProbePacer.TryTake(now))
        {
            NextTimeout = Timestamp.Max(Services.ProbePacer.NextAllowed(now), now + TimeSpan.FromMilliseconds(1));
            return false;
        }
        _handshakes.Dequeue();
        path = new PathAddress(Sockets[0].Id, destination);
        return true;
    }

    public override void HandleTimeout(Timestamp now)
    {
        if (now >= NextTimeout) NextTimeout = Timestamp.Never;
    }

    public override void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State != SideSocketState.Open) return;
        if (socket.Reflexive is not [var seen, ..])
        {
            Services.SideSockets.Query(socket, _reflector, now);
            return;
        }
        // From the next port on: as many as we send, and those of the others in between.
        var step = Services.Profile.Step;
        var (near, far) = (seen.Port + step, seen.Port + (step * Packets));
        if (Math.Min(near, far) < NetworkProfile.LowestPort || Math.Max(near, far) > ushort.MaxValue) return;
        NewOffer = Offer(_target, seen, Math.Min(near, far), Math.Max(near, far), Packets);
    }
}
