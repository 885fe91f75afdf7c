using Punchline.Engine;

namespace Punchline.Tests.Engine;

/// <summary>PROTOCOL §2, which server is trusted, as a table.</summary>
public sealed class ServerTrustTests
{
    private static readonly string Same = new('a', 52);
    private static readonly string Other = new('q', 52);

    // host, pin given, known (nothing, pin, store; same or another key), vouched for, --trust-first → trusted, remembered as
    [Theory]
    [InlineData("name.example", "same", "", false, false, true, "pin")]
    [InlineData("name.example", "same", "pin other", false, false, true, "pin")]
    [InlineData("name.example", "same", "pin same", false, false, true, "")]
    [InlineData("name.example", "same", "store same", true, false, true, "pin")]
    [InlineData("name.example", "other", "", true, true, false, "")]
    [InlineData("192.0.2.1", "other", "pin same", true, true, false, "")]
    [InlineData("name.example", "", "pin same", false, false, true, "")]
    [InlineData("name.example", "", "pin other", true, true, false, "")]
    [InlineData("192.0.2.1", "", "pin other", true, true, false, "")]
    [InlineData("name.example", "", "store same", true, false, true, "")]
    [InlineData("name.example", "", "store other", true, false, true, "store")]
    [InlineData("name.example", "", "store same", false, true, false, "")]
    [InlineData("name.example", "", "", true, false, true, "store")]
    [InlineData("name.example", "", "", false, false, false, "")]
    [InlineData("name.example", "", "", false, true, true, "pin")]
    [InlineData("192.0.2.1", "", "", false, false, true, "pin")]
    [InlineData("[2001:db8::1]", "", "", false, false, true, "pin")]
    [InlineData("localhost", "", "", false, false, true, "pin")]
    [InlineData("printer.local", "", "", false, false, true, "pin")]
    [InlineData("printer.local.example", "", "", false, false, false, "")]
    [InlineData("local", "", "", false, false, false, "")]
    public void Decides(string host, string pin, string knownAs, bool isVouchedFor, bool trustFirst, bool trusted, string remembered)
    {
        var text = pin.Length == 0 ? host : $"{host}#{PinOf(pin)}";
        Assert.True(ServerAddress.TryParse(text, out var address, out _));
        var known = knownAs.Split(' ') is [var origin, var key] ? new KnownServer(address.Authority, PinOf(key), OriginOf(origin)) : null;

        var decision = ServerTrust.Decide(address, Same, isVouchedFor, known, trustFirst);

        Assert.Equal(trusted, decision.IsTrusted);
        Assert.Equal(remembered.Length == 0 ? null : new KnownServer(address.Authority, Same, OriginOf(remembered)), decision.Remember);
        // What the certificate store says is not asked for where it decides nothing.
        if (!ServerTrust.AsksCertificateStore(address, known)) Assert.Equal(decision, ServerTrust.Decide(address, Same, !isVouchedFor, known, trustFirst));
    }

    private static string PinOf(string key) => key is "same" ? Same : Other;

    private static TrustOrigin OriginOf(string word) => word is "pin" ? TrustOrigin.Pin : TrustOrigin.CertificateStore;
}
