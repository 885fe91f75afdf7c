using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Punchline.Cli.Settings;
using Punchline.Engine;
using Punchline.Server;
using Punchline.Server.Stun;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline serve</c>: the coordination server with its STUN, and the lines that peers paste.</summary>
internal static class ServeVerb
{
    public static Command Create()
    {
        var port = new Argument<string?>("PORT")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = $"TCP for peers, UDP for STUN, and UDP on the next port too; {ServerAddress.DefaultPort} unless given, 0 for any that is free.",
        };
        var listen = SettingCatalogue.Listen.ToOption();
        var alternate = SettingCatalogue.Alternate.ToOption();
        var publicAddress = SettingCatalogue.Public.ToListOption();
        var certificate = SettingCatalogue.Certificate.ToOption();
        var key = SettingCatalogue.Key.ToOption();
        var plain = SettingCatalogue.Plain.ToFlag();
        var trustedProxy = SettingCatalogue.TrustedProxy.ToListOption();
        var state = SettingCatalogue.State.ToOption();
        var config = SettingCatalogue.Config.ToOption();
        var untilInputEnds = new Option<bool>("--until-input-ends") { Hidden = true };
        var command = new Command("serve", "Runs a coordination server, which introduces peers to each other.")
        {
            port, listen, alternate, publicAddress, certificate, key, plain, trustedProxy, state, config, untilInputEnds,
        };
        command.Aliases.Add("server");
        command.SetAction((parsed, _) =>
        {
            Func<string, string?> environment = Configuration.Load(parsed, config, state).Find;
            var isPlain = Setting.ReadFlag(parsed, plain, environment);
            var listenAddress = Setting.Read(parsed, listen, environment);
            var publicAddresses = Setting.ReadList(parsed, publicAddress, environment);
            var certificateFile = Setting.Read(parsed, certificate, environment);
            var pair = ParseAlternate(Setting.Read(parsed, alternate, environment), listenAddress, publicAddresses);
            var proxies = Setting.ReadList(parsed, trustedProxy, environment);
            if (proxies.Length > 0 && !isPlain) throw new UsageException("--trusted-proxy is for --plain: with TLS of our own there is no proxy to believe.");
            if (isPlain && certificateFile is not null) throw new UsageException("--plain has no use for a certificate: leave one of them out.");
            var options = new CoordinationServerOptions
            {
                Plain = isPlain,
                TrustedProxies = proxies.Length > 0 ? [.. proxies.Select(ParseAddress)] : new CoordinationServerOptions().TrustedProxies,
                Port = ParsePort(parsed.GetValue(port)),
                ListenAddress = listenAddress is { } text ? ParseAddress(text) : null,
                AlternateAddress = pair?.Alternate,
                PublicAddresses = [.. publicAddresses.Select(ParseAddress)],
                CertificateFile = certificateFile,
                KeyFile = Setting.Read(parsed, key, environment),
                // Where the world knows both by other addresses, those are listed anyway.
                StunServers = pair is { Reached: null } ? reached => WithNextPort(reached.Port, pair.Address, pair.Alternate) : null,
                StateDirectory = StateSetting.Read(parsed, state, environment),
            };
            return options.CertificateFile is null == options.KeyFile is null
                ? RunAsync(options, pair, parsed.GetValue(untilInputEnds))
                : throw new UsageException("A certificate needs its key: --certificate FILE --key FILE.");
        });
        return command;
    }

    private static async Task<int> RunAsync(CoordinationServerOptions options, AddressPair? pair, bool untilInputEnds)
    {
        using var interruption = new Interruption();
        using var loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            // It logs, with its stack, what it then throws and we explain.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-dd HH:mm:ss ";
            })
            // Standard output has the lines to paste, and nothing else.
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        await using var server = await StartAsync(options, loggers, interruption.Token);
        await using var stun = StartStun(options, pair, server.Port, loggers.CreateLogger<StunServer>());
        server.Stun = stun;

        foreach (var line in Announcement(server, AddressesOf(options, pair, stun))) await Terminal.Output.WriteLineAsync(line);
        await WaitForEndAsync(untilInputEnds, interruption.Token);
        await server.StopAsync(CancellationToken.None);
        return ExitCode.Done;
    }

    private static int ParsePort(string? text) => text switch
    {
        null => ServerAddress.DefaultPort,
        ['-', ..] => throw new UsageException($"There is no option {text}."),
        _ when ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) => port,
        _ => throw new UsageException($"'{text}' is not a port: a number from 1 to 65535, or 0 for any that is free."),
    };

    private static IPAddress ParseAddress(string text) =>
        IPAddress.TryParse(text, out var address) ? address : throw new UsageException($"'{text}' is not an IP address.");

    private static async Task<CoordinationHost> StartAsync(CoordinationServerOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        try
        {
            return await CoordinationHost.StartAsync(options, loggers, cancellationToken);
        }
        catch (Exception exception) when (FindSocketError(exception) is { } error)
        {
            throw new ToolException(Explain("TCP", options.Port, error, exception), exception);
        }
    }

    private static AddressPair? ParseAlternate(string? alternate, string? listen, string[] publicAddresses)
    {
        if (alternate is null) return null;
        if (listen is null) throw new UsageException($"--alternate needs the first address too: --listen ADDRESS --alternate {alternate}");
        var (first, second) = (ParseAddress(listen), ParseAddress(alternate));
        if (first.AddressFamily != second.AddressFamily || first.Equals(second))
            throw new UsageException($"--alternate has to be another address than --listen's, and like it IPv4 or IPv6: {listen} and {alternate} are no such pair.");
        if (publicAddresses.Length is not (0 or 2))
            throw new UsageException("With --alternate, --public is needed for both addresses or for none: first what --listen's is reached by, then what --alternate's is.");
        return new AddressPair(first, second, publicAddresses.Length == 0 ? null : (ParseAddress(publicAddresses[0]), ParseAddress(publicAddresses[1])));
    }

    private static List<IPEndPoint> WithNextPort(int port, params IReadOnlyList<IPAddress> addresses) =>
        [.. addresses.SelectMany(address => new[] { new IPEndPoint(address, port), new IPEndPoint(address, port + 1) })];

    private static StunServer StartStun(CoordinationServerOptions options, AddressPair? pair, int port, ILogger logger)
    {
        try
        {
            if (pair is not null)
            {
                return port < IPEndPoint.MaxPort
                    ? StunServer.StartPair(pair.Address, pair.Alternate, port, logger, pair.Reached)
                    : throw new UsageException("--alternate needs two ports, and there is none behind 65535.");
            }
            // Beside IPv6 it has IPv4 too where the machine has both.
            return StunServer.Start(options.ListenAddress ?? (Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any), port, logger);
        }
        catch (SocketException exception)
        {
            throw new ToolException(Explain("UDP", port, exception.SocketErrorCode, exception), exception);
        }
    }

    // Kestrel wraps what the socket said once or twice, and tells a port in use by a type of its own.
    private static SocketError? FindSocketError(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException socket) return socket.SocketErrorCode;
        }
        return null;
    }

    private static string Explain(string protocol, int port, SocketError error, Exception exception) => error switch
    {
        SocketError.AddressAlreadyInUse => $"{protocol} port {port} is in use by another program. Stop that one, or choose another port: punchline serve {(port < 60_000 ? port + 10 : port - 10)}",
        SocketError.AccessDenied => $"This user may not listen on {protocol} port {port}. Ports from 1024 on are free to use.",
        SocketError.AddressNotAvailable => "An address after --listen or --alternate is not one of this machine's.",
        _ => $"{protocol} port {port} cannot be used: {exception.Message}",
    };

    private static async Task WaitForEndAsync(bool untilInputEnds, CancellationToken interruption)
    {
        try
        {
            if (untilInputEnds) await Console.OpenStandardInput().CopyToAsync(Stream.Null, interruption);
            else await Task.Delay(Timeout.InfiniteTimeSpan, interruption);
        }
        catch (OperationCanceledException) when (interruption.IsCancellationRequested)
        {
            // Ctrl+C is how a server is asked to stop.
        }
    }

    // Peers come by TCP, which listens on the first address of a pair only.
    private static IEnumerable<IPAddress> AddressesOf(CoordinationServerOptions options, AddressPair? pair, StunServer stun) => pair switch
    {
        not null => [pair.Reached?.Address ?? pair.Address],
        null when options.PublicAddresses.Count > 0 => options.PublicAddresses,
        null => stun.Endpoints.Select(endpoint => endpoint.Address).Distinct().OrderBy(IPAddress.IsLoopback).ThenBy(address => address.AddressFamily),
    };

    private static IEnumerable<string> Announcement(CoordinationHost server, IEnumerable<IPAddress> addresses)
    {
        yield return $"The coordination server is up, on port {server.Port}. Peers join with the line whose address they can reach:";
        yield return "";
        if (server.Pin is null) yield return "    punchline join ROOM --server HOST:PORT  # as the proxy is reached";
        foreach (var address in server.Pin is null ? [] : addresses)
        {
            var line = $"    punchline join ROOM --server {ShellWord.Quote($"{new IPEndPoint(address, server.Port)}#{server.Pin}")}";
            yield return IPAddress.IsLoopback(address) ? $"{line}  # on this machine" : line;
        }
        yield return "";
        yield return "ROOM is any name. Add --secret auto, and only whom you tell gets in. Ctrl+C stops the server; peers that are connected stay connected.";
    }

    /// <summary>Two addresses of this machine for RFC 5780, and what the world knows them by where that is something else.</summary>
    private sealed record AddressPair(IPAddress Address, IPAddress Alternate, (IPAddress Address, IPAddress Alternate)? Reached);
}
