using System.Reflection;

namespace Punchline.Protocols.Tests.House;

/// <summary>
/// The protocol cores reference nothing that could wait, open a socket or tell the time: the compiled assembly shows it,
/// whatever BannedSymbols.txt may have missed.
/// </summary>
public sealed class ReferencedAssembliesTests
{
    private static readonly string[] Allowed =
    [
        "System.Collections",
        "System.Linq",
        "System.Memory",
        "System.Net.Primitives",           // IPAddress and IPEndPoint: values
        "System.Runtime",
        "System.Runtime.InteropServices",  // spans over lists
        "System.Security.Cryptography",
        "System.Text.Json",
        "System.Text.Encodings.Web",
        "System.Private.CoreLib",
    ];

    private static readonly string[] BannedTypes =
    [
        "System.Threading.", "System.Net.Sockets.", "System.IO.", "System.Timers.", "System.DateTime", "System.TimeProvider",
        "System.Diagnostics.Stopwatch", "System.Random", "System.Security.Cryptography.RandomNumberGenerator",
    ];

    private static readonly Assembly Cores = typeof(PeerId).Assembly;

    [Fact]
    public void The_cores_reference_only_what_is_allowed()
    {
        var foreign = Cores.GetReferencedAssemblies().Select(name => name.Name!).Where(name => !Allowed.Contains(name, StringComparer.Ordinal));
        Assert.Empty(foreign);
    }

    [Fact]
    public void No_member_of_the_cores_has_a_banned_type()
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var found = new List<string>();
        foreach (var type in Cores.GetTypes().Where(type => type.Namespace?.StartsWith("Punchline", StringComparison.Ordinal) == true))
        {
            foreach (var field in type.GetFields(All)) Check(field.FieldType, $"{type}.{field.Name}", found);
            foreach (var method in type.GetMethods(All))
            {
                Check(method.ReturnType, $"{type}.{method.Name}", found);
                foreach (var parameter in method.GetParameters()) Check(parameter.ParameterType, $"{type}.{method.Name}", found);
                foreach (var local in method.GetMethodBody()?.LocalVariables ?? []) Check(local.LocalType, $"{type}.{method.Name}", found);
            }
        }
        Assert.Empty(found);
    }

    private static void Check(Type type, string where, List<string> found)
    {
        var name = type.FullName ?? type.Name;
        if (BannedTypes.Any(banned => name.StartsWith(banned, StringComparison.Ordinal)))
            found.Add($"{where}: {name}");
    }
}
