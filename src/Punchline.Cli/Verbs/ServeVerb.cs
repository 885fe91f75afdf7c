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
        var publicAddress = SettingCatalogue.Public.ToListOption();
        var certificate = SettingCatalogue.Certificate.ToOption();
        var key = SettingCatalogue.Key.ToOption();
        var state = SettingCatalogue.State.ToOption();
        var config = SettingCatalogue.Config.ToOption();
        var untilInputEnds = new Option<bool>("--until-input-ends") { Hidden = true };
        var command = new Command("serve", "Runs a coordination server, which introduces peers to each other.")
        {
            port, listen, publicAddress, certificate, key, state, config, untilInputEnds,
        };
        command.Aliases.Add("server");
        command.SetAction((parsed, _) =>
        {
            Func<string, string?> environment = Configuration.Load(parsed, config, state).Find;
            var options = new CoordinationServerOptions
            {
                Port = ParsePort(parsed.GetValue(port)),
                ListenAddress = Setting.Read(parsed, listen, environment) is { } text ? ParseAddress(text) : null,
                PublicAddresses = [.. Setting.ReadList(parsed, publicAddress, environment).Select(ParseAddress)],
                CertificateFile = Setting.Read(parsed, certificate, environment),
                KeyFile = Setting.Read(parsed, key, environment),
                StateDirectory = StateSetting.Read(parsed, state, environment),
            };
            return options.CertificateFile is null == options.KeyFile is null
                ? RunAsync(options, parsed.GetValue(untilInputEnds))
                : throw new UsageException("A certificate needs its key: --certificate FILE --key FILE.");
        });
        return command;
    }

    private static async Task<int> RunAsync(CoordinationServerOptions options, bool untilInputEnds)
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
        // Beside IPv6 it has IPv4 too where the machine has both.
        var stunAddress = options.ListenAddress ?? (Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any);
        await using var stun = StartStun(stunAddress, server.Port, loggers.CreateLogger<StunServer>());
        server.Stun = stun;

        foreach (var line in Announcement(server, options, stun.Endpoints)) await Terminal.Output.WriteLineAsync(line);
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

    private static StunServer StartStun(IPAddress address, int port, ILogger logger)
    {
        try
        {
            return StunServer.Start(address, port, logger);
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
        SocketError.AddressNotAvailable => "The address after --listen is not one of this machine's.",
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

    private static IEnumerable<string> Announcement(CoordinationHost server, CoordinationServerOptions options, IReadOnlyList<IPEndPoint> local)
    {
        IEnumerable<IPAddress> addresses = options.PublicAddresses.Count > 0
            ? options.PublicAddresses
            : local.Select(endpoint => endpoint.Address).Distinct().OrderBy(IPAddress.IsLoopback).ThenBy(address => address.AddressFamily);
        yield return $"The coordination server is up, on port {server.Port}. Peers join with the line whose address they can reach:";
        yield return "";
        foreach (var address in addresses)
        {
            var line = $"    punchline join ROOM --server {ShellWord.Quote($"{new IPEndPoint(address, server.Port)}#{server.Pin}")}";
            yield return IPAddress.IsLoopback(address) ? $"{line}  # on this machine" : line;
        }
        yield return "";
        yield return "ROOM is any name. Add --secret auto, and only whom you tell gets in. Ctrl+C stops the server; peers that are connected stay connected.";
    }
}
