using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

public sealed class PunchAttemptTests
{
    private static readonly Endpoint A = Endpoint.Parse("203.0.113.5:5000");
    private static readonly Endpoint B = Endpoint.Parse("203.0.113.6:5000");

    private readonly Pacer _pacer = new(packetsPerSecond: 200, burst: 64);
    private readonly ProbeBudget _budget = new();
    private readonly PunchAttempt _attempt = new(Timestamp.Zero);

    [Fact]
    public void Probes_come_when_they_are_due()
    {
        _attempt.Add([Handshake(0, A), Handshake(33, A)], Timestamp.Zero);
        Assert.Equal([A], Take(0));
        Assert.Equal(Timestamp.FromMilliseconds(33), _attempt.NextTimeout);
        Assert.Empty(Take(32));
        Assert.Equal([A], Take(33));
        Assert.Equal(Timestamp.Never, _attempt.NextTimeout);
        Assert.Equal((2, 1), (_attempt.ProbesSent, _attempt.Targets));
        Assert.Equal(Timestamp.FromMilliseconds(20_000), _attempt.Deadline);
    }

    [Fact]
    public void A_plan_made_anew_adds_only_what_is_new_counted_from_now()
    {
        _attempt.Add([Handshake(0, A), Handshake(33, A)], Timestamp.Zero);
        Assert.Equal([A], Take(0));
        _attempt.Add([Handshake(0, A), Handshake(33, A), Handshake(0, B), Handshake(33, B)], Timestamp.FromMilliseconds(10));
        Assert.Equal([B], Take(10));
        Assert.Equal([A], Take(33));
        Assert.Equal([B], Take(43));
        Assert.Empty(Take(10_000));
    }

    [Fact]
    public void A_peer_that_names_addresses_without_end_gets_probes_at_60_of_them()
    {
        for (var i = 0; i < 10; i++)
            _attempt.Add([.. Enumerable.Range(0, 30).Select(j => Handshake(0, A.WithPort((ushort)(2_000 + (30 * i) + j))))], Timestamp.Zero);
        Assert.Equal(60, PunchAttempt.MaxTargets);
        Assert.Equal(60, _attempt.Targets);
    }

    // PROTOCOL §6: our own message 1 goes to the source, at most three times.
    [Fact]
    public void An_observed_source_is_answered_at_once_and_three_times_in_all()
    {
        for (var i = 0; i < 5; i++) _attempt.Answer(A, Timestamp.Zero);
        _attempt.Answer(B, Timestamp.Zero);
        Assert.Equal([A, A, A, B], Take(0));
        _attempt.Answer(A, Timestamp.FromMilliseconds(50));
        Assert.Empty(Take(50));
    }

    [Fact]
    public void Sixteen_sources_are_answered_and_no_more()
    {
        for (ushort port = 2_000; port < 2_020; port++) _attempt.Answer(A.WithPort(port), Timestamp.Zero);
        Assert.Equal(Enumerable.Range(2_000, 16).Select(port => A.WithPort((ushort)port)), Take(0));
    }

    [Fact]
    public void What_the_pacer_holds_back_waits_and_says_until_when()
    {
        var slow = new Pacer(packetsPerSecond: 10, burst: 1);
        _attempt.Add([Handshake(0, A), Handshake(0, B)], Timestamp.Zero);
        Assert.True(_attempt.TryTakeProbe(Timestamp.Zero, slow, _budget, 250, out var first));
        Assert.False(_attempt.TryTakeProbe(Timestamp.Zero, slow, _budget, 250, out _));
        var next = _attempt.NextTimeout;
        Assert.Equal(Timestamp.FromMilliseconds(100) + TimeSpan.FromTicks(1), next);
        Assert.True(_attempt.TryTakeProbe(next, slow, _budget, 250, out var second));
        Assert.Equal([A, B], [first.Destination, second.Destination]);
    }

    [Fact]
    public void What_an_address_may_not_get_any_more_is_left_out_and_costs_no_token()
    {
        var single = new Pacer(packetsPerSecond: 1, burst: 1);
        while (_budget.TryTake(A, 250, isAnswer: false, Timestamp.Zero)) { }
        _attempt.Add([Handshake(0, A), Handshake(0, B)], Timestamp.Zero);
        Assert.True(_attempt.TryTakeProbe(Timestamp.Zero, single, _budget, 250, out var probe));
        Assert.Equal(B, probe.Destination);
        Assert.Equal(1, _attempt.ProbesSent);
    }

    [Fact]
    public void What_was_spent_on_an_address_by_the_words_of_others_leaves_an_answer_to_it()
    {
        while (_budget.TryTake(A, 1, isAnswer: false, Timestamp.Zero)) { }
        _attempt.Answer(A, Timestamp.Zero);
        Assert.Equal([A], Take(0));
        _attempt.Answer(A, Timestamp.Zero);
        Assert.Empty(Take(0));
    }

    [Fact]
    public void A_round_trip_is_counted_from_the_first_copy_of_the_last_second()
    {
        Assert.Null(default(CopiesSent).RoundTrip(Timestamp.Zero));
        var copies = default(CopiesSent).Another(Timestamp.Zero).Another(Timestamp.FromMilliseconds(33));
        Assert.Equal(TimeSpan.FromMilliseconds(80), copies.RoundTrip(Timestamp.FromMilliseconds(80)));
        copies = copies.Another(Timestamp.FromMilliseconds(8_000)).Another(Timestamp.FromMilliseconds(8_040));
        Assert.Equal(TimeSpan.FromMilliseconds(80), copies.RoundTrip(Timestamp.FromMilliseconds(8_080)));
        Assert.Equal(TimeSpan.FromMilliseconds(1_060), copies.RoundTrip(Timestamp.FromMilliseconds(9_100)));
    }

    private static Probe Handshake(int milliseconds, Endpoint to) => new(TimeSpan.FromMilliseconds(milliseconds), to, ProbeKind.Handshake, 0);

    private List<Endpoint> Take(long milliseconds)
    {
        var taken = new List<Endpoint>();
        while (_attempt.TryTakeProbe(Timestamp.FromMilliseconds(milliseconds), _pacer, _budget, 250, out var probe)) taken.Add(probe.Destination);
        return taken;
    }
}
