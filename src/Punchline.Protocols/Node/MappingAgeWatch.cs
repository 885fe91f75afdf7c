using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>
/// Finds out whether our router ends a mapping at an age although it is used: one socket is kept as connections' paths are, and another asks the
/// STUN server from time to time to answer there.
/// </summary>
internal sealed class MappingAgeWatch : SideQuestions
{
    /// <summary>No mapping is watched for longer.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    /// <summary>Between two looks: what is found is late by so much, and counted as if it were early.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(150);

    private readonly Func<TimeSpan> _interval;
    private Timestamp _born;
    private Timestamp _nextKeepAlive = Timestamp.Never;
    private Timestamp _nextLook = Timestamp.Never;
    private Endpoint _mapped;
    private SideQuestion? _look;
    private SideQuestion? _presence;

    /// <param name="services">The node's.</param>
    /// <param name="server">Which answers elsewhere than it was asked.</param>
    /// <param name="interval">How often paths are kept now.</param>
    public MappingAgeWatch(NodeServices services, Endpoint server, Func<TimeSpan> interval)
        : base(services, server)
    {
        _interval = interval;
        if (!TryOpen(2)) End();
    }

    /// <summary>How old the mapping was when it was last known to live.</summary>
    public TimeSpan Age { get; private set; }

    /// <summary>It has ended.</summary>
    public bool IsDead { get; private set; }

    protected override Timestamp NextStep => Timestamp.Min(_nextKeepAlive, _nextLook);

    private SideSocket Asker => Sockets[0];

    private SideSocket Watched => Sockets[1];

    protected override void HandleOpened(Timestamp now)
    {
        _born = now;
        Ask(Watched, now);
    }

    protected override void HandleStep(Timestamp now)
    {
        if (now >= _nextKeepAlive)
        {
            _nextKeepAlive = now + _interval();
            KeepAlive(Watched);
        }
        if (now < _nextLook) return;
        _nextLook = now + LookInterval;
        if (_look is null && _presence is null) _look = Ask(Asker, Watched, _mapped.Port, now);
    }

    protected override void HandleAnswer(SideQuestion question, Endpoint mapped, Timestamp now)
    {
        if (question == _presence)
        {
            IsDead = true;
            End();
        }
        else if (question == _look)
        {
            _look = null;
            Age = question.AskedAt - _born;
            if (Age >= Limit) End();
        }
        else
        {
            _mapped = mapped;
            (_nextKeepAlive, _nextLook) = (now + Settling, now + LookInterval);
        }
    }

    protected override void HandleNoAnswer(SideQuestion question, Timestamp now)
    {
        if (question == _look) _presence = Ask(Asker, now);
        else End();
    }
}
