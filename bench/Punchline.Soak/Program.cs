using System.CommandLine;
using Punchline.Soak;

// A room in six networks of the lab, for as long as is asked: members come, leave and are killed, the server is killed and
// started, and everybody talks. What the room promises is checked all the while; memory at the end.
var minutes = new Option<double>("--minutes") { Description = "How long.", DefaultValueFactory = _ => 5 };
var members = new Option<int>("--members") { Description = "How many, from 4 to 48.", DefaultValueFactory = _ => 12 };
var seed = new Option<int>("--seed") { Description = "What happens when.", DefaultValueFactory = _ => 1 };
var tool = new Option<string?>("--tool") { Description = "The published punchline to run; else it is published first." };
var logs = new Option<string?>("--logs") { Description = "Where every member's events go; without it they are kept after a failure only." };
var fullRoom = new Option<bool>("--full-room") { Description = "Instead: 64 nodes in a room on loopback, once, and a 65th." };
members.Validators.Add(result =>
{
    if (result.GetValue(members) is < 4 or > 48) result.AddError("--members: from 4 to 48.");
});

var command = new RootCommand("Runs a room of real processes behind real NATs, and checks that it keeps its promises.") { minutes, members, seed, tool, logs, fullRoom };
command.SetAction((parsed, cancellationToken) => SoakProgram.RunAsync(
    new SoakOptions(
        TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(members), parsed.GetValue(seed), parsed.GetValue(tool), parsed.GetValue(logs))
    {
        IsFullRoom = parsed.GetValue(fullRoom),
    },
    cancellationToken));
return await command.Parse(args).InvokeAsync();
