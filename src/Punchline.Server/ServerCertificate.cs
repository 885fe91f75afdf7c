using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Punchline.Engine;
using Punchline.Protocols.Primitives;

namespace Punchline.Server;

/// <summary>What the server shows in TLS: a certificate of its owner's, or a self-signed one that is made once and kept.</summary>
internal sealed class ServerCertificate : IDisposable
{
    /// <summary>In the state directory: certificate and private key, in PEM, in one file so that neither is there alone.</summary>
    public const string FileName = "server.pem";

    // Peers know the key by its pin; nothing is gained by an expiry that makes them distrust it.
    private const int Years = 10;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1"; // id-kp-serverAuth, RFC 5280 §4.2.1.12

    private ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection chain)
    {
        Certificate = certificate;
        Chain = chain;
        KeyHash = SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Pin = Base32.Encode(KeyHash);
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>What TLS sends behind the certificate.</summary>
    public X509Certificate2Collection Chain { get; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo (as in RFC 7469 §2.4).</summary>
    public byte[] KeyHash { get; }

    /// <summary><see cref="KeyHash"/> in base32: 52 characters, which stand behind # in a server's address.</summary>
    public string Pin { get; }

    /// <summary>As the options say: from files, kept in the state directory, or for this process only.</summary>
    /// <exception cref="InvalidDataException">A file is there and holds no certificate with its key.</exception>
    public static ServerCertificate Obtain(CoordinationServerOptions options)
    {
        if (options.CertificateFile is { } certificateFile) return Load(certificateFile, options.KeyFile!);
        var now = options.TimeProvider.GetUtcNow();
        if (options.StateDirectory is null) return Parse(Create(now));
        var path = Path.Combine(options.StateDirectory, FileName);
        if (File.Exists(path)) return Load(path, path);
        var created = Create(now);
        AtomicFile.WriteAllText(path, created);
        return Parse(created);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        foreach (var certificate in Chain) certificate.Dispose();
    }

    private static ServerCertificate Load(string certificateFile, string keyFile)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(certificateFile);
            // The first of the file is the certificate itself.
            all[0].Dispose();
            all.RemoveAt(0);
            return new ServerCertificate(ForTls(certificate), all);
        }
        catch (CryptographicException exception)
        {
            throw new InvalidDataException(
                $"{certificateFile} holds no certificate whose private key is in {keyFile}: {exception.Message} Restore the file, or move it away for a new key and pin.", exception);
        }
    }

    private static ServerCertificate Parse(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem, pem);
        return new ServerCertificate(ForTls(certificate), []);
    }

    private static string Create(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Punchline coordination server", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        // A day back, for peers whose clocks are behind.
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(Years));
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    // Schannel takes no key that lives in memory only; a round trip through PKCS #12 gives it one that it does take.
    private static X509Certificate2 ForTls(X509Certificate2 certificate) => OperatingSystem.IsWindows()
        ? X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null)
        : new X509Certificate2(certificate);
}
