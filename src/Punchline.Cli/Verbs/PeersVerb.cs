using System.CommandLine;
using Punchline.Cli.Chat;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline peers</c>: whom this peer has met, and what its user says of them.</summary>
internal static class PeersVerb
{
    public static Command Create()
    {
        var command = new Command("peers", "Lists the peers that were met: id, name, since when, and what you noted of them.");
        command.Subcommands.Add(CreateAlias());
        command.Subcommands.Add(CreateForPeer("verify", "Notes that you compared a peer's id with the person behind it, and it matched.", (known, peer, output) =>
        {
            if (!known.SetVerified(peer, true)) throw NeverMet(peer);
            Show(known, peer, output);
        }));
        command.Subcommands.Add(CreateForPeer("block", "Wants nothing of a peer: what it says is not shown, and its calls are refused.", (known, peer, output) =>
        {
            try
            {
                known.SetBlocked(peer, true);
            }
            catch (InvalidOperationException exception)
            {
                throw new ToolException(exception.Message);
            }
            output.ShowBlocked(peer, isBlocked: true);
        }));
        command.Subcommands.Add(CreateForPeer("unblock", "Takes back block.", (known, peer, output) =>
        {
            known.SetBlocked(peer, false);
            output.ShowBlocked(peer, isBlocked: false);
        }));
        command.Subcommands.Add(CreateForPeer("forget", "Forgets a peer: its names, its alias, and that it was verified.", (known, peer, output) =>
        {
            if (!known.Forget(peer)) throw NeverMet(peer);
            output.ShowForgotten(peer);
        }));
        var options = new CommonOptions(command);
        command.SetAction(parsed =>
        {
            var (known, _, output) = options.Read(parsed);
            foreach (var peer in known.List()) output.Show(peer);
            foreach (var peer in known.ListBlocked()) output.ShowBlocked(peer, isBlocked: true);
            return ExitCode.Done;
        });
        return command;
    }

    private static Command CreateAlias()
    {
        var alias = new Argument<string?>("NAME") { Arity = ArgumentArity.ZeroOrOne, Description = "How you call the peer from now on. Without one, its alias is taken away." };
        var command = CreateForPeer("alias", "Gives a peer a name of your own, by which other verbs then know it.");
        var (verb, peer, options) = command;
        verb.Arguments.Add(alias);
        verb.SetAction(parsed =>
        {
            var (known, state, output) = options.Read(parsed);
            var id = PeerArgument.Resolve(parsed.GetRequiredValue(peer), state);
            try
            {
                if (!known.SetAlias(id, parsed.GetValue(alias))) throw NeverMet(id);
            }
            catch (PunchlineException exception)
            {
                throw new UsageException(exception.Message);
            }
            Show(known, id, output);
            return ExitCode.Done;
        });
        return verb;
    }

    private static Command CreateForPeer(string name, string description, Action<KnownPeers, PeerId, IPeersOutput> act)
    {
        var (verb, peer, options) = CreateForPeer(name, description);
        verb.SetAction(parsed =>
        {
            var (known, state, output) = options.Read(parsed);
            act(known, PeerArgument.Resolve(parsed.GetRequiredValue(peer), state), output);
            return ExitCode.Done;
        });
        return verb;
    }

    private static (Command Verb, Argument<string> Peer, CommonOptions Options) CreateForPeer(string name, string description)
    {
        var peer = PeerArgument.Create();
        var verb = new Command(name, description) { peer };
        return (verb, peer, new CommonOptions(verb));
    }

    private static void Show(KnownPeers known, PeerId peer, IPeersOutput output)
    {
        // Null where another process forgot it at this moment.
        if (known.Find(peer) is { } found) output.Show(found);
    }

    private static ToolException NeverMet(PeerId peer) => new($"{PlainOutput.ShortId(peer)}… was never met from here, so there is nothing to note.");

    private sealed class CommonOptions
    {
        private readonly Option<string?> _state = SettingCatalogue.State.ToOption();
        private readonly Option<bool> _json = SettingCatalogue.Json.ToFlag();
        private readonly Option<string?> _config = SettingCatalogue.Config.ToOption();

        public CommonOptions(Command command)
        {
            foreach (var option in (Option[])[_state, _json, _config]) command.Options.Add(option);
        }

        public (KnownPeers Known, string StateDirectory, IPeersOutput Output) Read(ParseResult parsed)
        {
            Func<string, string?> environment = Configuration.Load(parsed, _config, _state).Find;
            var directory = StateSetting.Read(parsed, _state, environment)
                ?? throw new UsageException($"With --state {StateSetting.Nowhere} nobody is remembered: leave it out.");
            return (new KnownPeers(directory), directory, Setting.ReadFlag(parsed, _json, environment) ? new JsonPeersOutput(Terminal.Output) : new PlainPeersOutput(Terminal.Output));
        }
    }
}
