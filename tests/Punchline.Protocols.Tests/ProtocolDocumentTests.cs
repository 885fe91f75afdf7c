using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests;

/// <summary>The test vectors of PROTOCOL.md, which another implementation computed, are what this one computes.</summary>
public sealed partial class ProtocolDocumentTests
{
    private static readonly InstanceId InstanceOfA = InstanceId.FromBytes(Enumerable.Repeat((byte)0xaa, InstanceId.ByteLength).ToArray());
    private static readonly InstanceId InstanceOfB = InstanceId.FromBytes(Enumerable.Repeat((byte)0xbb, InstanceId.ByteLength).ToArray());

    [Fact]
    public void Ids_are_those_of_the_document()
    {
        using var a = Import("private key a");
        using var b = Import("private key b");
        Assert.Equal(Vector("id a"), a.DeriveId().ToString());
        Assert.Equal(Vector("id b"), b.DeriveId().ToString());
        Assert.True(b.DeriveId() < a.DeriveId());
    }

    [Fact]
    public void Keys_of_a_room_are_those_of_the_document()
    {
        var roomKey = RoomKeys.DeriveRoomKey("café", "correct horse");
        var keys = new RoomKeys(roomKey);
        Assert.Equal(Vector("room key"), Convert.ToHexStringLower(roomKey));
        Assert.Equal(Vector("tag"), Convert.ToHexStringLower(keys.Tag));
        Assert.Equal(Vector("tag in a URL"), Base32.Encode(keys.Tag));
        Assert.Equal(Vector("room psk"), Convert.ToHexStringLower(keys.PresharedKey));
        Assert.Equal(Vector("hint key"), Convert.ToHexStringLower(keys.HintKey));
        Assert.Equal(Vector("introduction"), Convert.ToHexStringLower(keys.IntroductionKey));
        // The same name with its accent apart (Unicode form D).
        Assert.Equal(roomKey, RoomKeys.DeriveRoomKey("cafe\u0301", "correct horse"));

        var a = new IntroducedPeer(PeerId.Parse(Vector("id a")), InstanceOfA);
        var b = new IntroducedPeer(PeerId.Parse(Vector("id b")), InstanceOfB);
        using var keyOfA = Import("private key a");
        using var keyOfB = Import("private key b");
        var agreement = new byte[P256KeyPair.SharedSecretLength];
        Assert.True(keyOfA.TryAgree(keyOfB.PublicKey, agreement));
        Assert.Equal(Vector("agreement"), Convert.ToHexStringLower(agreement));
        Assert.Equal(Vector("pair psk"), Convert.ToHexStringLower(keys.DerivePairKey(a, b, agreement)));
        Assert.Equal(Vector("pair psk"), Convert.ToHexStringLower(keys.DerivePairKey(b, a, agreement)));
        Assert.Equal(Vector("hint a to b"), keys.DeriveHint(a, b).ToString("x16", null));
    }

    [Fact]
    public void Keys_of_an_inbox_and_a_call_are_those_of_the_document()
    {
        var a = new IntroducedPeer(PeerId.Parse(Vector("id a")), InstanceOfA);
        var b = new IntroducedPeer(PeerId.Parse(Vector("id b")), InstanceOfB);
        using var keyOfA = Import("private key a");
        using var keyOfB = Import("private key b");
        var inbox = RoomKeys.OfInbox(a.Id);
        Assert.Equal(Vector("inbox tag in a URL"), Base32.Encode(inbox.Tag));
        Assert.True(CallKeys.TryDerive(inbox, keyOfB, b, a, keyOfA.PublicKey, out var keys));
        Assert.Equal(Vector("signal key"), Convert.ToHexStringLower(keys.SignalKey));
        Assert.Equal(Vector("call tag"), Convert.ToHexStringLower(keys.Room.Tag));
    }

    private static P256KeyPair Import(string name) =>
        P256KeyPair.TryImport(Convert.FromHexString(Vector(name)), out var keyPair) ? keyPair : throw new InvalidDataException($"'{name}' is no private key.");

    // A vector's line: its name, at least two spaces, and its value up to the next space.
    [Fact]
    public void Causes_of_failure_are_those_of_the_document()
    {
        var table = Lines().SkipWhile(line => !line.StartsWith("| cause | meaning |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'));
        Assert.Equal(PunchFailure.All.Select(cause => $"| `{cause.Cause}` | {cause.Meaning} |"), table);
    }

    private static IEnumerable<string> Lines([CallerFilePath] string here = "") => File.ReadLines(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "PROTOCOL.md"));

    private static string Vector(string name, [CallerFilePath] string here = "") =>
        File.ReadLines(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "PROTOCOL.md"))
            .Select(line => VectorLine().Match(line))
            .Single(match => match.Success && match.Groups["name"].Value == name)
            .Groups["value"].Value;

    [GeneratedRegex(@"^(?<name>[a-zA-Z ]+?)  +(?<value>[0-9a-z]{16,})(  .*)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VectorLine();
}
