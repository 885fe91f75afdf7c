namespace Punchline.Engine;

/// <summary>Whether to talk to the server that showed a certificate, and what to remember of it.</summary>
/// <param name="Refusal">Null: trusted. Else why not, and what to do, in a sentence or two.</param>
/// <param name="Remember">What is new to <see cref="IKnownServers"/>, to be stored once the connection stands.</param>
internal readonly record struct TrustDecision(string? Refusal, KnownServer? Remember)
{
    public bool IsTrusted => Refusal is null;
}

/// <summary>PROTOCOL §2: pin, then known pin, then certificate store, and first use only where nobody could vouch anyway.</summary>
internal static class ServerTrust
{
    /// <summary>
    /// Whether a decision depends on the certificate store at all. Where it does not, the chain need not be built, which
    /// spares reading the system's authorities.
    /// </summary>
    public static bool AsksCertificateStore(ServerAddress address, KnownServer? known) =>
        address.Pin is null && known is null or { Origin: TrustOrigin.CertificateStore };

    /// <param name="address">The server as dialled.</param>
    /// <param name="shownPin">SHA-256 of the public key that it showed, in base32.</param>
    /// <param name="isVouchedFor">Whether the certificate store accepts its certificate for that name. Matters only where <see cref="AsksCertificateStore"/>.</param>
    /// <param name="known">What was remembered of it.</param>
    /// <param name="trustFirst">Whether the user allows first-use trust for any name.</param>
    public static TrustDecision Decide(ServerAddress address, string shownPin, bool isVouchedFor, KnownServer? known, bool trustFirst)
    {
        var asPin = new KnownServer(address.Authority, shownPin, TrustOrigin.Pin);
        if (address.Pin is { } pin)
        {
            return IsSame(pin, shownPin)
                ? Trusted(asPin, known)
                : Refused($"{address.Authority} shows another key than the pin you gave: #{shownPin}. Someone may sit in between; ask the server's operator for the pin.");
        }
        if (known is { Origin: TrustOrigin.Pin })
        {
            return IsSame(known.Pin, shownPin)
                ? Trusted(asPin, known)
                : Refused($"{address.Authority} shows another key than last time: #{shownPin}, not #{known.Pin}. Someone may sit in between; if its operator confirms the new key, add it to the address.");
        }
        if (isVouchedFor) return Trusted(new KnownServer(address.Authority, shownPin, TrustOrigin.CertificateStore), known);
        if (known is not null)
        {
            return Refused($"{address.Authority} no longer has a certificate that this system's authorities vouch for. Someone may sit in between; with its operator's word for it, add #{shownPin} to the address.");
        }
        return address.IsLocalOrLiteral || trustFirst
            ? Trusted(asPin, known)
            : Refused($"No authority vouches for the certificate of {address.Authority}. Ask its operator for the pin and add it to the address, like {address.Authority}#{shownPin}, or take this one with --trust-first.");
    }

    private static TrustDecision Trusted(KnownServer server, KnownServer? known) => new(null, server == known ? null : server);

    private static TrustDecision Refused(string why) => new(why, null);

    private static bool IsSame(string one, string other) => string.Equals(one, other, StringComparison.Ordinal);
}
