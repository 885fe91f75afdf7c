namespace Punchline.Protocols.Primitives;

/// <summary>
/// A moment on a monotonic clock, in ticks of 100 ns since an origin that only its owner knows (process start, or the
/// beginning of a simulation). Durations are <see cref="TimeSpan"/>s; two timestamps of different clocks must not meet.
/// </summary>
internal readonly record struct Timestamp(long Ticks) : IComparable<Timestamp>
{
    /// <summary>The clock's origin.</summary>
    public static Timestamp Zero => default;

    /// <summary>Later than every other moment: a deadline that is not set.</summary>
    public static Timestamp Never => new(long.MaxValue);

    public static Timestamp FromMilliseconds(long milliseconds) => new(milliseconds * TimeSpan.TicksPerMillisecond);

    public static Timestamp operator +(Timestamp moment, TimeSpan duration) =>
        moment == Never ? Never : new(moment.Ticks + duration.Ticks);

    public static Timestamp operator -(Timestamp moment, TimeSpan duration) =>
        moment == Never ? Never : new(moment.Ticks - duration.Ticks);

    public static TimeSpan operator -(Timestamp later, Timestamp earlier) => new(later.Ticks - earlier.Ticks);

    public static bool operator <(Timestamp left, Timestamp right) => left.Ticks < right.Ticks;

    public static bool operator >(Timestamp left, Timestamp right) => left.Ticks > right.Ticks;

    public static bool operator <=(Timestamp left, Timestamp right) => left.Ticks <= right.Ticks;

    public static bool operator >=(Timestamp left, Timestamp right) => left.Ticks >= right.Ticks;

    public static Timestamp Min(Timestamp left, Timestamp right) => left < right ? left : right;

    public static Timestamp Max(Timestamp left, Timestamp right) => left > right ? left : right;

    public int CompareTo(Timestamp other) => Ticks.CompareTo(other.Ticks);

    public override string ToString() => this == Never ? "never" : $"{Ticks / (double)TimeSpan.TicksPerMillisecond:F3} ms";
}
