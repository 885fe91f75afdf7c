namespace Punchline.Protocols.Tests.Stun;

/// <summary>The sample messages of RFC 5769, and the one that RFC 8489 adds.</summary>
internal static class Rfc5769
{
    /// <summary>The password of §2.1 to §2.3.</summary>
    public const string Password = "VOkJxbRl1RmTxUk/WvJxBt";

    /// <summary>§2.1, a request as ICE sends it; its padding is spaces.</summary>
    public static byte[] Request => Convert.FromHexString(
        "000100582112a442b7e7a701bc34d686fa87dfae"
        + "802200105354554e207465737420636c69656e74" // SOFTWARE "STUN test client"
        + "002400046e0001ff" // PRIORITY
        + "80290008932ff9b151263b36" // ICE-CONTROLLED
        + "000600096576746a3a68367659202020" // USERNAME "evtj:h6vY"
        + "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2" // MESSAGE-INTEGRITY
        + "80280004e57a3bcf"); // FINGERPRINT

    /// <summary>§2.2, a response with 192.0.2.1:32853.</summary>
    public static byte[] IPv4Response => Convert.FromHexString(
        "0101003c2112a442b7e7a701bc34d686fa87dfae"
        + "8022000b7465737420766563746f7220" // SOFTWARE "test vector"
        + "002000080001a147e112a643" // XOR-MAPPED-ADDRESS
        + "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
        + "80280004c07d4c96");

    /// <summary>§2.3, a response with [2001:db8:1234:5678:11:2233:4455:6677]:32853.</summary>
    public static byte[] IPv6Response => Convert.FromHexString(
        "010100482112a442b7e7a701bc34d686fa87dfae"
        + "8022000b7465737420766563746f7220"
        + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
        + "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
        + "80280004c8fb0b4c");

    /// <summary>§2.4, a request with long-term credentials; its padding is zeros.</summary>
    public static byte[] LongTermRequest => Convert.FromHexString(
        "000100602112a44278ad3433c6ad72c029da412e"
        + "00060012e3839ee38388e383aae38383e382afe382b90000" // USERNAME
        + "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341" // NONCE "f//499k954d6OL34oL9FSTvy64sA"
        + "0014000b6578616d706c652e6f726700" // REALM "example.org"
        + "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666");

    /// <summary>RFC 8489 appendix B.1 as erratum 6268 corrects it: long-term credentials with SHA-256.</summary>
    public static byte[] Sha256Request => Convert.FromHexString(
        "000100902112a44278ad3433c6ad72c029da412e"
        + "001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704" // USERHASH
        + "001500296f624d61744a6f733241414143662f2f3439396b39353464364f"
        + "4c33346f4c39465354767936347341000000" // NONCE "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"
        + "0014000b6578616d706c652e6f726700" // REALM "example.org"
        + "001d000400020000" // PASSWORD-ALGORITHM SHA-256
        + "001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65"); // MESSAGE-INTEGRITY-SHA256

    public static IEnumerable<byte[]> All => [Request, IPv4Response, IPv6Response, LongTermRequest, Sha256Request];
}
