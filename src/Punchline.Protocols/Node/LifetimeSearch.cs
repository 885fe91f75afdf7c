using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Measures how long our router keeps an idle mapping (PROTOCOL §7). Each of five sockets is answered twice by a STUN server, a while apart, for routers
/// keep what was answered for longer; then it is silent for an age of its own, and a sixth
/// socket asks the server to answer there.
/// </summary>
internal sealed class LifetimeSearch : SideQuestions
{
    /// <summary>What the server may send unasked, before what it says of a mapping's life is not believed.</summary>
    private const int MaxRestarts = 2;

    private readonly List<Subject> _subjects = [];
    private readonly List<TimeSpan> _alive = [];
    private TimeSpan? _dead;
    private SideQuestion? _presence;
    private int _round = -1;
    private bool _isSupported;

    public LifetimeSearch(NodeServices services, Endpoint server)
        : base(services, server)
    {
        if (!TryOpen(LifetimePlan.Mappings + 1)) End();
    }

    /// <summary>The longest age at which a mapping lived, below the shortest at which one did not: rises as the search goes on. Zero for none.</summary>
    public TimeSpan Lifetime => _alive.Where(age => !(age >= _dead)).DefaultIfEmpty().Max();

    /// <summary>It went to its end; else the server does not help, or was lost on the way.</summary>
    public bool IsComplete { get; private set; }

    protected override Timestamp NextStep
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var subject in _subjects) next = Timestamp.Min(next, subject.Next);
            return next;
        }
    }

    private SideSocket Asker => Sockets[0];

    protected override void HandleOpened(Timestamp now)
    {
        if (_round < 0) BeginRound(now);
    }

    protected override void HandleStep(Timestamp now)
    {
        foreach (var subject in _subjects)
        {
            if (now < subject.Next) continue;
            subject.Next = Timestamp.Never;
            if (subject.Stage == Stage.Settling) (subject.Stage, subject.Question) = (Stage.AnsweredOnce, Ask(subject.Socket, now));
            else (subject.Stage, subject.Question) = (Stage.Tested, Ask(Asker, subject.Socket, subject.Mapped.Port, now));
        }
    }

    protected override void HandleAnswer(SideQuestion question, Endpoint mapped, Timestamp now)
    {
        if (question == _presence)
        {
            // The server is there, and its answer did not come in: these mappings are gone.
            _presence = null;
            foreach (var gone in _subjects.Where(subject => subject.Stage == Stage.Missing)) Bury(gone);
            EndRoundWhenDone(now);
            return;
        }
        if (_subjects.Find(asked => asked.Question == question) is not { } subject) return;
        subject.Question = null;
        switch (subject.Stage)
        {
            case Stage.Asked:
                (subject.Mapped, subject.Stage) = (mapped, Stage.Checked);
                if (_isSupported || subject != _subjects[0]) Settle(subject, now);
                else subject.Question = Ask(Asker, subject.Socket, mapped.Port, now);
                break;
            case Stage.Checked:
                _isSupported = true;
                Settle(subject, now);
                break;
            // A router that gives the same flow another port within seconds, or a server that says so.
            case Stage.AnsweredOnce when mapped != subject.Mapped:
                End();
                break;
            case Stage.AnsweredOnce:
                subject.RoundTrip = question.Requests == 1 ? now - question.AskedAt : TimeSpan.Zero;
                Wait(subject, now);
                break;
            case Stage.Tested:
                subject.Stage = Stage.Done;
                _alive.Add(subject.Age);
                EndRoundWhenDone(now);
                break;
        }
    }

    protected override void HandleNoAnswer(SideQuestion question, Timestamp now)
    {
        if (_subjects.Find(asked => asked.Question == question) is not { Stage: Stage.Tested } subject)
        {
            // The server is silent, or does not answer elsewhere than it was asked.
            End();
            return;
        }
        subject.Question = null;
        subject.Stage = Stage.Missing;
        _presence ??= Ask(Asker, now);
    }

    protected override void HandleUnasked(SideSocket socket, Timestamp now)
    {
        if (_subjects.Find(known => known.Socket == socket) is not { Stage: Stage.Waiting } subject) return;
        if (subject.Restarts++ == MaxRestarts) End();
        else Wait(subject, now);
    }

    private void BeginRound(Timestamp now)
    {
        _round++;
        var ages = LifetimePlan.AgesOf(_round, Lifetime, _dead);
        _subjects.Clear();
        if (ages.Count == 0)
        {
            IsComplete = true;
            End();
            return;
        }
        for (var i = 0; i < ages.Count; i++)
        {
            var subject = new Subject(Sockets[i + 1], ages[i]);
            subject.Question = Ask(subject.Socket, now);
            _subjects.Add(subject);
        }
    }

    private static void Settle(Subject subject, Timestamp now) => (subject.Stage, subject.Next) = (Stage.Settling, now + Settling);

    // So that the server's answer comes in at that age: it takes a round trip from here to here.
    private static void Wait(Subject subject, Timestamp now) => (subject.Stage, subject.Next) = (Stage.Waiting, now + subject.Age - subject.RoundTrip);

    // What is longer need not be waited for.
    private void Bury(Subject gone)
    {
        _dead = !(_dead <= gone.Age) ? gone.Age : _dead;
        foreach (var subject in _subjects)
        {
            if (subject.Age < gone.Age || subject.Stage == Stage.Done) continue;
            if (subject.Question is { } question) Withdraw(question);
            (subject.Stage, subject.Next, subject.Question) = (Stage.Done, Timestamp.Never, null);
        }
    }

    private void EndRoundWhenDone(Timestamp now)
    {
        if (_subjects.TrueForAll(subject => subject.Stage == Stage.Done)) BeginRound(now);
    }

    private enum Stage : byte
    {
        Asked,

        /// <summary>The first one only: whether the server answers elsewhere than it was asked.</summary>
        Checked,
        Settling,
        AnsweredOnce,
        Waiting,
        Tested,

        /// <summary>No answer came in by it; whether that is the server's doing is asked.</summary>
        Missing,
        Done,
    }

    private sealed class Subject(SideSocket socket, TimeSpan age)
    {
        public SideSocket Socket { get; } = socket;

        public TimeSpan Age { get; } = age;

        public Stage Stage { get; set; }

        public Endpoint Mapped { get; set; }

        public TimeSpan RoundTrip { get; set; }

        public SideQuestion? Question { get; set; }

        public Timestamp Next { get; set; } = Timestamp.Never;

        public int Restarts { get; set; }
    }
}
