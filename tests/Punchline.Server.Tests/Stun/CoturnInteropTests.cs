using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Protocols.Stun;
using Punchline.Server.Stun;

namespace Punchline.Server.Tests.Stun;

/// <summary>With Debian's package <c>coturn</c>, in both directions, on loopback.</summary>
public sealed class CoturnInteropTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", "IPv4. UDP reflexive addr: 127.0.0.1:")]
    [InlineData("::1", "IPv6. UDP reflexive addr: ::1:")]
    public async Task Coturns_client_is_served_by_ours(string address, string reflexive)
    {
        var program = Find("turnutils_stunclient");
        await using var server = StunServer.Start(IPAddress.Parse(address), 0, NullLogger.Instance);
        var (exitCode, output) = await RunAsync(program, "-p", $"{server.Port}", address);

        Assert.Contains(reflexive, output, StringComparison.Ordinal);
        Assert.Equal(0, exitCode);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Coturns_discovery_of_NAT_behaviour_is_served_by_ours()
    {
        var program = Find("turnutils_natdiscovery");
        StunPairTests.SkipUnlessLoopbackHasTwoAddresses();
        await using var server = StunPairTests.StartPair();
        var (exitCode, output) = await RunAsync(program, "-m", "-f", "-L", "127.0.0.1", "-p", $"{server.Port}", "127.0.0.1");

        Assert.Contains("No NAT! (Endpoint Independent Mapping)", output, StringComparison.Ordinal);
        Assert.Contains("NAT with Endpoint Independent Filtering!", output, StringComparison.Ordinal);
        Assert.Contains($"Other addr: : 127.0.0.2:{server.Port + 1}", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Not received", output, StringComparison.Ordinal);
        Assert.Equal(0, exitCode);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Our_client_is_served_by_coturn(string address)
    {
        var program = Find("turnserver");
        var ip = IPAddress.Parse(address);
        var port = FreePort(ip);
        var pidFile = Path.Combine(Path.GetTempPath(), $"punchline-coturn-{port}.pid");
        using var coturn = Start(
            program, "-n", "--stun-only", "--no-tls", "--no-dtls", "--no-tcp", "--no-cli", "--log-file", "stdout", "--simple-log",
            "--pidfile", pidFile, "-L", address, "-p", $"{port}");
        // Read and forgotten, so that a full pipe does not stop it.
        coturn.BeginOutputReadLine();
        coturn.BeginErrorReadLine();
        try
        {
            // Retransmission bridges coturn's start: 79 RTOs of 250 ms are about 20 s.
            using var client = new StunClientSocket(ip, TimeSpan.FromMilliseconds(250));
            var reflected = Assert.IsType<StunClientEvent.Reflected>(Assert.Single(client.Query(new IPEndPoint(ip, port))));
            Assert.Equal(client.Local, reflected.Mapped);
        }
        finally
        {
            coturn.Kill();
            await coturn.WaitForExitAsync(CancellationToken.None);
            File.Delete(pidFile);
        }
    }

    private static string Find(string program)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);
        Assert.SkipUnless(path is not null, $"{program} is not installed (Debian: apt-get install coturn)");
        return path;
    }

    private static int FreePort(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static Process Start(string program, params string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        var errors = process.StandardError.ReadToEndAsync(Cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await errors;
        await process.WaitForExitAsync(Cancellation);
        return (process.ExitCode, output);
    }
}
