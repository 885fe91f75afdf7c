using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Server.Tests.Coordination;

public sealed class ServerCertificateTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Is_kept_across_restarts()
    {
        var options = new CoordinationServerOptions { Port = 0, StateDirectory = Path.Combine(_directory.FullName, "state") };
        string pin;
        await using (var first = await CoordinationHost.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken)) pin = first.Pin!;
        await using var second = await CoordinationHost.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(pin, second.Pin);
        // What was loaded from the file also serves TLS.
        await using var peer = await TestPeer.ConnectAsync($"127.0.0.1:{second.Port}#{pin}", new byte[32]);
        await peer.NextAsync<CoordinationClientEvent.Challenged>();

        var file = Assert.Single(Directory.GetFiles(options.StateDirectory));
        Assert.Equal(ServerCertificate.FileName, Path.GetFileName(file));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public void Is_P256_and_lasts_ten_years()
    {
        using var certificate = ServerCertificate.Obtain(new CoordinationServerOptions());
        using var key = certificate.Certificate.GetECDsaPublicKey();
        Assert.Equal(256, key?.KeySize);
        Assert.True(certificate.Certificate.HasPrivateKey);
        Assert.InRange(certificate.Certificate.NotAfter - DateTime.Now, TimeSpan.FromDays(3651), TimeSpan.FromDays(3654));
        Assert.Equal(certificate.Pin, Base32.Encode(certificate.KeyHash));
        Assert.Equal(52, certificate.Pin.Length);
    }

    [Fact]
    public async Task Is_taken_from_files_with_its_chain()
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(9));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=coordinate.example", key, HashAlgorithmName.SHA256)
            .Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(8), [1]);
        string certificateFile = Path.Combine(_directory.FullName, "fullchain.pem"), keyFile = Path.Combine(_directory.FullName, "key.pem");
        await File.WriteAllTextAsync(certificateFile, $"{certificate.ExportCertificatePem()}\n{authority.ExportCertificatePem()}\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);

        using var obtained = ServerCertificate.Obtain(new CoordinationServerOptions { CertificateFile = certificateFile, KeyFile = keyFile });
        Assert.Equal(SHA256.HashData(key.ExportSubjectPublicKeyInfo()), obtained.KeyHash);
        Assert.Equal("CN=Test authority", Assert.Single(obtained.Chain).Subject);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void A_spoilt_file_is_an_error_and_not_overwritten(string content)
    {
        var path = Path.Combine(_directory.FullName, ServerCertificate.FileName);
        File.WriteAllText(path, content);
        var exception = Assert.Throws<InvalidDataException>(() => ServerCertificate.Obtain(new CoordinationServerOptions { StateDirectory = _directory.FullName }));
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(path));
    }

    [Fact]
    public async Task A_certificate_without_its_key_is_an_error() =>
        await Assert.ThrowsAsync<ArgumentException>(() =>
            CoordinationHost.StartAsync(new CoordinationServerOptions { CertificateFile = "a.pem" }, cancellationToken: TestContext.Current.CancellationToken));
}
