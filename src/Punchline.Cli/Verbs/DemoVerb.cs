using System.CommandLine;
namespace Punchline.Cli.Verbs;
internal static class DemoVerb
{
    public static Command Create() => new("demo");
}
