using Punchline.Protocols.Coordination;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class RoomKeysTests
{
    private static readonly IntroducedPeer A = Peer(0, 0xa1);
    private static readonly IntroducedPeer B = Peer(100, 0xb2);

    private static readonly byte[] Agreement = [.. Enumerable.Repeat((byte)0x5a, 32)];

    // Computed with Python's hashlib.pbkdf2_hmac and hmac, from RoomKeys' description alone: name "Café" in form C.
    private const string RoomKey = "9631e8e8556e1b5df579334109042a3563a5473c2ed6f5e6fc7bf924840e3280";

    [Fact]
    public void The_room_key_is_what_another_implementation_computes_in_whatever_form_the_name_came()
    {
        Assert.Equal(RoomKey, Convert.ToHexStringLower(RoomKeys.DeriveRoomKey("Caf\u00e9", "correct horse")));
        Assert.Equal(RoomKey, Convert.ToHexStringLower(RoomKeys.DeriveRoomKey("Cafe\u0301", "correct horse")));
    }

    [Fact]
    public void The_keys_of_a_room_are_what_another_implementation_computes()
    {
        var keys = new RoomKeys(Convert.FromHexString(RoomKey));
        Assert.Equal("ecd8f0ce53f75e0d179aed8608d652972b35a2b1d3e86181282322a407c97d71", Convert.ToHexStringLower(keys.Tag));
        Assert.Equal("2089ae13f6819ad68d6b9df741c0edd9a42c02b2bd1974210fa172d13471d967", Convert.ToHexStringLower(keys.PresharedKey));
        Assert.Equal("5f102dadf648744a35905c032eaa99977c254b1815dd638b19c51f93ece5ac02", Convert.ToHexStringLower(keys.HintKey));
        Assert.Equal("28ac6311c2cb74fbb90f85305bba31169543bae73ef6f87dc604b6122fb89bd9", Convert.ToHexStringLower(keys.IntroductionKey));
        Assert.Equal("c638801a8d080fa3da309af72f2cd6380cf8500932e1e23f646f69163d93f6f6", Convert.ToHexStringLower(keys.DerivePairKey(A, B, Agreement)));
        Assert.Equal(0xf24906ca8102da54, keys.DeriveHint(A, B));
        Assert.Equal(0x2e793e75942a4f90UL, keys.DeriveHint(B, A));
    }

    [Fact]
    public void The_keys_for_the_dht_are_what_another_implementation_computes_and_each_hours_are_its_own()
    {
        const long Hour = 495_000;
        var keys = new RoomKeys(Convert.FromHexString(RoomKey));
        Assert.Equal("9e42706c07ba9d8c407dcc5bcf27aa5a09d098ba81aeb83c0d5d98e245203399", Convert.ToHexStringLower(keys.ContactKey));
        Assert.Equal("69d637d0171620bf94f1f7c5c401b7ad63ab5e82", keys.DeriveTopic(Hour).ToString());
        Assert.Equal(0x72b80021eb977ef9UL, keys.DeriveContactHint(Hour));
        var pairKey = new byte[RoomKeys.KeyLength];
        keys.DeriveContactPairKey(A.Id, B.Id, Agreement, pairKey);
        Assert.Equal("0fee1c71d16e17e234ed32548aaabeff8a03d014b1b527c1fe631cfa5d7dd1ea", Convert.ToHexStringLower(pairKey));
        Assert.NotEqual(keys.DeriveTopic(Hour), keys.DeriveTopic(Hour + 1));
        Assert.NotEqual(keys.DeriveContactHint(Hour), keys.DeriveContactHint(Hour + 1));
    }

    [Fact]
    public void Both_sides_derive_one_pair_key_and_another_process_another()
    {
        var keys = new RoomKeys(Convert.FromHexString(RoomKey));
        Assert.Equal(keys.DerivePairKey(A, B, Agreement), keys.DerivePairKey(B, A, Agreement));
        Assert.NotEqual(keys.DerivePairKey(A, B, Agreement), keys.DerivePairKey(A, Peer(100, 0xb3), Agreement));
        Assert.NotEqual(keys.DerivePairKey(A, B, Agreement), keys.DerivePairKey(A, Peer(101, 0xb2), Agreement));
        // Another member knows all but what the two static keys agree on.
        Assert.NotEqual(keys.DerivePairKey(A, B, Agreement), keys.DerivePairKey(A, B, new byte[32]));
        Assert.NotEqual(keys.DeriveHint(A, B), keys.DeriveHint(A, Peer(100, 0xb3)));
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, true)]
    [InlineData(128, 1_024, true)]
    [InlineData(129, 0, false)]
    [InlineData(1, 1_025, false)]
    public void Names_have_1_to_128_bytes_and_secrets_up_to_1024(int nameLength, int secretLength, bool isValid)
    {
        var exception = Record.Exception(() => RoomKeys.DeriveRoomKey(new string('n', nameLength), new string('s', secretLength)));
        Assert.Equal(isValid, exception is null);
        if (!isValid) Assert.IsType<ArgumentException>(exception);
    }

    [Fact]
    public void A_name_that_is_no_text_is_an_argument_error() =>
        Assert.ThrowsAny<ArgumentException>(() => RoomKeys.DeriveRoomKey("lone \ud800 surrogate", ""));

    private static IntroducedPeer Peer(byte first, byte instance) => new(
        new PeerId(Enumerable.Range(first, 32).Select(i => (byte)i).ToArray()), InstanceId.FromBytes(Enumerable.Repeat(instance, 16).ToArray()));
}
