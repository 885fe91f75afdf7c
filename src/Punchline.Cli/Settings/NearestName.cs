namespace Punchline.Cli.Settings;

/// <summary>What somebody meant who typed it wrong.</summary>
internal static class NearestName
{
    /// <summary>" Did you mean X?", or nothing where no name is near: a third of its letters may be wrong.</summary>
    /// <param name="typed">As it was typed.</param>
    /// <param name="names">What there is.</param>
    /// <param name="prefix">What all begin with, which says nothing about how near they are.</param>
    public static string Suggest(string typed, IEnumerable<string> names, string prefix = "")
    {
        var nearest = names.Select(name => (Name: name, Distance: DistanceOf(typed, name))).MinBy(candidate => candidate.Distance);
        return nearest.Name is not null && nearest.Distance <= Math.Max(1, (nearest.Name.Length - prefix.Length) / 3) ? $" Did you mean {nearest.Name}?" : "";
    }

    /// <summary>Letters to insert, delete or replace, or neighbours to swap (optimal string alignment).</summary>
    internal static int DistanceOf(string one, string other)
    {
        var distances = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++) distances[i, 0] = i;
        for (var j = 0; j <= other.Length; j++) distances[0, j] = j;
        for (var i = 1; i <= one.Length; i++)
        {
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = distances[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                distances[i, j] = Math.Min(replaced, Math.Min(distances[i - 1, j], distances[i, j - 1]) + 1);
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) distances[i, j] = Math.Min(distances[i, j], distances[i - 2, j - 2] + 1);
            }
        }
        return distances[one.Length, other.Length];
    }
}
