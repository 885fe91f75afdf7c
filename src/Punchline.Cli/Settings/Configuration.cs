using System.Collections;
using System.CommandLine;

namespace Punchline.Cli.Settings;

/// <summary>
/// What stands behind the options: variables, and behind them a file of lines <c>name = value</c>, in which a name is an
/// option's without its dashes, empty lines and those that begin with # say nothing, and each name stands once.
/// </summary>
internal sealed class Configuration
{
    /// <summary>In the state directory.</summary>
    public const string FileName = "config";

    /// <summary>Every setting at its longest takes a tenth of this.</summary>
    public const int MaxFileBytes = 64 << 10;

    // The tests' own, which the tool may meet in the environment that it inherits from them.
    private const string TestsPrefix = "PUNCHLINE_TEST_";
    private static readonly string[] TestsVariables = ["PUNCHLINE_SEED", "PUNCHLINE_SEEDS", "PUNCHLINE_REQUIRE_LAB", "PUNCHLINE_UPDATE_SURFACE"];

    private readonly Func<string, string?> _environment;
    private readonly Dictionary<string, string> _file;

    private Configuration(Func<string, string?> environment, Dictionary<string, string> file)
    {
        _environment = environment;
        _file = file;
    }

    /// <summary>Of this process, for a verb with these options.</summary>
    /// <exception cref="UsageException">A variable or a line of the file is not one that there is, or the file cannot be read.</exception>
    public static Configuration Load(ParseResult parsed, Option<string?> config, Option<string?> state)
    {
        CheckVariables(Environment.GetEnvironmentVariables().Keys);
        return Load(parsed, config, state, Environment.GetEnvironmentVariable);
    }

    /// <inheritdoc cref="Load(ParseResult, Option{string?}, Option{string?})"/>
    public static Configuration Load(ParseResult parsed, Option<string?> config, Option<string?> state, Func<string, string?> environment)
    {
        if (Setting.Read(parsed, config, environment) is { } named)
            return new Configuration(environment, File.Exists(named) ? ReadFile(named, isInState: false) : throw new UsageException($"There is no configuration file {named}."));
        // --state - keeps nothing, and so has nothing kept.
        var path = StateSetting.Read(parsed, state, environment) is { } directory ? Path.Combine(directory, FileName) : null;
        return new Configuration(environment, File.Exists(path) ? ReadFile(path, isInState: true) : []);
    }

    /// <exception cref="UsageException">One of them is called like ours, and is none.</exception>
    public static void CheckVariables(IEnumerable names)
    {
        foreach (var name in names.Cast<string>().Where(name => name.StartsWith(Setting.VariablePrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            if (name.StartsWith(TestsPrefix, StringComparison.Ordinal) || TestsVariables.Contains(name, StringComparer.Ordinal)) continue;
            var known = SettingCatalogue.All.Select(setting => setting.Variable).ToArray();
            if (!known.Contains(name, StringComparer.Ordinal))
                throw new UsageException($"There is no variable {name}, but it is set in the environment.{NearestName.Suggest(name, known, Setting.VariablePrefix)}");
        }
    }

    /// <summary>What a variable says, or the file in its place.</summary>
    public string? Find(string variable) => _environment(variable) is { Length: > 0 } value ? value : _file.GetValueOrDefault(variable);

    private static Dictionary<string, string> ReadFile(string path, bool isInState)
    {
        try
        {
            return new FileInfo(path).Length <= MaxFileBytes
                ? Parse(path, File.ReadAllLines(path), isInState)
                : throw new UsageException($"{path} is too long for a configuration file: at most {MaxFileBytes} bytes.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The configuration file cannot be read: {exception.Message}");
        }
    }

    private static Dictionary<string, string> Parse(string path, string[] lines, bool isInState)
    {
        Dictionary<string, string> found = new(StringComparer.Ordinal);
        foreach (var (index, raw) in lines.Index())
        {
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            var where = $"{path}, line {index + 1}";
            if (line.Split('=', 2, StringSplitOptions.TrimEntries) is not [var key, { Length: > 0 } value])
                throw new UsageException($"{where}: '{line}' is not of the form name = value.");
            var setting = SettingCatalogue.All.FirstOrDefault(setting => string.Equals(setting.Key, key, StringComparison.Ordinal))
                ?? throw new UsageException($"{where}: there is no setting {key}.{NearestName.Suggest(key, SettingCatalogue.All.Select(setting => setting.Key))}");
            if (setting == SettingCatalogue.Config || (isInState && setting == SettingCatalogue.State))
                throw new UsageException($"{where}: {key} says where this file is, so it cannot stand in it.");
            if (!found.TryAdd(setting.Variable, value)) throw new UsageException($"{where}: {key} stands here a second time.");
        }
        return found;
    }
}
