using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class CallSignalTests : IDisposable
{
    private readonly SeededRandom _random = new(5);
    private readonly P256KeyPair _caller;
    private readonly P256KeyPair _callee;
    private readonly CallKeys _keys;
    private readonly IntroductionBlob _introduction;

    public CallSignalTests()
    {
        (_caller, _callee) = (P256KeyPair.Generate(_random), P256KeyPair.Generate(_random));
        _keys = Derive(_caller, _callee.PublicKey, _caller.DeriveId(), _callee.DeriveId());
        _introduction = new IntroductionBlob(
            _caller.PublicKey.ToArray(), new InstanceId(1), 3, "Zoë", [new Candidate(CandidateKind.ServerReflexive, Endpoint.Parse("203.0.113.5:5000"))]);
    }

    public static TheoryData<byte> Types => new((byte)CallSignalType.Ring, (byte)CallSignalType.Accept, (byte)CallSignalType.Refuse, (byte)CallSignalType.Update, (byte)CallSignalType.HangUp);

    [Theory]
    [MemberData(nameof(Types))]
    public void What_one_side_seals_the_other_opens_and_nobody_else(byte type)
    {
        var sent = Signal((CallSignalType)type);
        var data = Seal(sent);
        Assert.True(CallSignal.TryOpen(data, Derive(_callee, _caller.PublicKey, _callee.DeriveId(), _caller.DeriveId()), _caller.DeriveId(), _callee.DeriveId(), out var opened));
        Assert.Equal((sent.Type, sent.Number, sent.Refusal), (opened.Type, opened.Number, opened.Refusal));
        Assert.Equal(sent.Introduction?.Candidates, opened.Introduction?.Candidates);

        // Turned round, the sender would have answered itself.
        Assert.False(CallSignal.TryOpen(data, _keys, _callee.DeriveId(), _caller.DeriveId(), out _));
        using var stranger = P256KeyPair.Generate(_random);
        Assert.False(CallSignal.TryOpen(data, Derive(stranger, _callee.PublicKey, _caller.DeriveId(), _callee.DeriveId()), _caller.DeriveId(), _callee.DeriveId(), out _));
        Assert.True(CallKeys.TryDerive(Inbox, _caller, new(_caller.DeriveId(), new InstanceId(9)), new(_callee.DeriveId(), new InstanceId(2)), _callee.PublicKey, out var ofAnotherProcess));
        Assert.False(CallSignal.TryOpen(data, ofAnotherProcess, _caller.DeriveId(), _callee.DeriveId(), out _));
    }

    [Fact]
    public void The_longest_introduction_fits_into_a_signal()
    {
        var longest = _introduction with
        {
            Name = new string('n', IntroductionBlob.MaxNameBytes),
            Candidates = [.. Enumerable.Range(0, Candidate.MaxPerPeer).Select(i => new Candidate(CandidateKind.Host, Endpoint.Parse($"[2001:db8::{i + 1:x}]:5000")))],
            Versions = new byte[IntroductionBlob.MaxListLength],
            Suites = new byte[IntroductionBlob.MaxListLength],
        };
        var data = Seal(new CallSignal(CallSignalType.Ring, uint.MaxValue) { Introduction = longest });
        Assert.InRange(data.Length, 1, CoordinationLimits.MaxSignalBytes);
        Assert.True(Open(data, out var opened));
        Assert.Equal(longest.Candidates, opened!.Introduction!.Candidates);
    }

    [Fact]
    public void Another_type_or_reason_is_a_later_versions_and_what_is_cut_or_changed_is_nothing()
    {
        Assert.True(Open(Seal(new CallSignal((CallSignalType)77, 1)), out var later));
        Assert.Equal((CallSignalType)77, later!.Type);
        Assert.True(Open(Seal(Signal(CallSignalType.Refuse) with { Refusal = (CallRefusalCode)9 }), out later));
        Assert.Equal(CallRefusalCode.Refused, later!.Refusal);

        var data = Seal(Signal(CallSignalType.Ring));
        for (var length = 0; length < data.Length; length++) Assert.False(Open(data[..length], out _));
        for (var i = 0; i < data.Length; i++)
        {
            var changed = data.ToArray();
            changed[i] ^= 1;
            Assert.False(Open(changed, out _));
        }
        Assert.False(Open(new byte[CoordinationLimits.MaxSignalBytes + 1], out _));
        // Sealed by the caller itself, but not a whole introduction.
        Assert.False(Open(Seal(new CallSignal(CallSignalType.Ring, 1)), out _));
    }

    [Fact]
    public void A_key_off_the_curve_makes_no_call()
    {
        var key = _callee.PublicKey.ToArray();
        key[^1] ^= 1;
        Assert.False(CallKeys.TryDerive(Inbox, _caller, new(_caller.DeriveId(), new InstanceId(1)), new(_callee.DeriveId(), new InstanceId(2)), key, out _));
    }

    public void Dispose()
    {
        _caller.Dispose();
        _callee.Dispose();
    }

    private RoomKeys Inbox => RoomKeys.OfInbox(_callee.DeriveId());

    private CallSignal Signal(CallSignalType type) => new(type, 7)
    {
        Introduction = type is CallSignalType.Ring or CallSignalType.Accept or CallSignalType.Update ? _introduction : null,
        Refusal = type == CallSignalType.Refuse ? CallRefusalCode.Busy : default,
    };

    private CallKeys Derive(P256KeyPair own, ReadOnlySpan<byte> otherKey, PeerId local, PeerId remote)
    {
        InstanceId InstanceOf(PeerId id) => new(id == _caller.DeriveId() ? 1u : 2u);
        Assert.True(CallKeys.TryDerive(Inbox, own, new(local, InstanceOf(local)), new(remote, InstanceOf(remote)), otherKey, out var keys));
        return keys;
    }

    private byte[] Seal(CallSignal signal) => signal.Seal(_keys, _caller.DeriveId(), _callee.DeriveId(), _random);

    private bool Open(byte[] data, out CallSignal? signal) => CallSignal.TryOpen(data, _keys, _caller.DeriveId(), _callee.DeriveId(), out signal);
}
