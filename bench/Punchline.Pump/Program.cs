using System.CommandLine;
using Punchline;
using Punchline.Pump;

// Bytes one way between two machines, over the library's public API: as fast as it goes, through whatever happens to the network meanwhile.
//
//     pump listen --server HOST:PORT#PIN                        prints its id; whoever knows it may send
//     pump send --server HOST:PORT#PIN --to ID --bytes 1g
//
// or both with --room NAME --secret TEXT, without an id. One JSON object a line. Exit code 0: every byte arrived, by SHA-256 at both ends.
var server = new Option<string>("--server") { Description = "HOST[:PORT][#PIN] of the coordination server.", Required = true };
var trust = new Option<bool>("--trust-first") { Description = "Takes the server's key at first use." };
var room = new Option<string?>("--room") { Description = "A room in which both meet, in place of the listener's id." };
var secret = new Option<string>("--secret") { Description = "The room's.", DefaultValueFactory = _ => "" };
var to = new Option<string?>("--to") { Description = "The listener's id." };
var bytes = new Option<string>("--bytes") { Description = "How many; 200m and 1g are 200 and 1,000 million.", DefaultValueFactory = _ => "200m" };

var listen = new Command("listen", "Takes what one peer sends, and says what came.") { server, trust, room, secret };
listen.SetAction((parsed, cancellationToken) => PumpProgram.RunAsync(
    async node => parsed.GetValue(room) is { } name
        ? await PumpProgram.MeetAsync(node, Meeting(parsed, name), cancellationToken)
        : await PumpProgram.ListenAsync(node, parsed.GetValue(server)!, parsed.GetValue(trust), cancellationToken),
    (connection, report) => Receiver.RunAsync(connection, report, cancellationToken)));

var send = new Command("send", "Sends to a listener.") { server, trust, room, secret, to, bytes };
send.Validators.Add(result =>
{
    if (result.GetValue(room) is null && !PeerId.TryParse(result.GetValue(to) ?? "", out _)) result.AddError("--to: the listener's id, or --room.");
});
send.SetAction((parsed, cancellationToken) => PumpProgram.RunAsync(
    async node => parsed.GetValue(room) is { } name
        ? await PumpProgram.MeetAsync(node, Meeting(parsed, name), cancellationToken)
        : await node.ConnectAsync(
            new CallOptions { Server = parsed.GetValue(server)!, TrustFirst = parsed.GetValue(trust), Peer = PeerId.Parse(parsed.GetValue(to) ?? "") }, cancellationToken),
    (connection, report) => Sender.RunAsync(connection, Quantity.Parse(parsed.GetValue(bytes)!), report, cancellationToken)));

return await new RootCommand("Sends bytes one way between two machines, and measures.") { listen, send }.Parse(args).InvokeAsync();

RoomOptions Meeting(ParseResult parsed, string name) => new()
{
    Server = parsed.GetValue(server)!,
    TrustFirst = parsed.GetValue(trust),
    Room = name,
    Secret = parsed.GetValue(secret)!,
    Protocols = [PumpProgram.Protocol],
};
