using Punchline.Protocols.Stun;

namespace Punchline.Server.Listening;

/// <summary>What a client that opens a TCP connection is about to speak.</summary>
internal enum Speech
{
    Unknown,
    Tls,
    Http,
    Stun,
}

/// <summary>
/// One byte tells the three protocols of the port apart, so it does not matter in which pieces they come. In all three the
/// client speaks first.
/// </summary>
internal static class FirstByte
{
    // RFC 8446 §5.1: a TLS connection begins with a record of type handshake (22).
    private const byte TlsHandshake = 22;

    public static Speech Classify(byte first) => first switch
    {
        TlsHandshake => Speech.Tls,
        _ when StunMessage.CanBegin(first) => Speech.Stun,
        // RFC 9110 §9.1: a method is a token; all that are registered begin with a letter.
        _ when char.IsAsciiLetter((char)first) => Speech.Http,
        _ => Speech.Unknown,
    };
}
