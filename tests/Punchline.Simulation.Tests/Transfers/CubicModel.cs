using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Tests.Transfers;

/// <summary>
/// What RFC 9438's formulas make of a link, without packets: rounds of one window each, an ideal sender that learns of every loss at
/// the round's end, and nothing shared with the code under test. Windows are in packets, times in seconds.
/// </summary>
internal sealed class CubicModel(IRandomSource random, double packetsPerSecond, double roundTrip, double queuePackets, double loss)
{
    private const double C = 0.4;
    private const double Beta = 0.7;

    private double _window = 10;
    private double _threshold = double.PositiveInfinity;
    private double _max;
    private double _prior;
    private double _friendly;
    private double _start;
    private double _epoch = double.NaN;

    public double Now { get; private set; }

    public double Delivered { get; private set; }

    /// <summary>One window goes out and is acknowledged.</summary>
    public void Round()
    {
        var sent = (int)_window;
        // What exceeds the link's own capacity waits in the queue, and what exceeds that is dropped.
        var fits = (packetsPerSecond * roundTrip) + queuePackets;
        var time = Math.Max(roundTrip, Math.Min(sent, fits) / packetsPerSecond);
        var lost = Math.Max(0, sent - (int)fits);
        // Packets before the first lost one are acknowledged before the sender knows, and still count.
        var beforeLoss = sent - lost;
        for (var i = 0; i < sent - lost; i++)
        {
            if (!(random.NextDouble() < loss)) continue;
            if (beforeLoss > i) beforeLoss = i;
            Delivered--;
        }
        Delivered += sent - lost;
        Now += time;
        var hadLoss = lost > 0 || beforeLoss < sent;
        for (var i = 0; i < beforeLoss; i++) Acknowledge(time);
        if (!hadLoss) return;
        Reduce();
        // The recovery round: a window goes out, and nothing of it lets the window grow.
        Delivered += (int)_window * (1 - loss);
        Now += Math.Max(roundTrip, _window / packetsPerSecond);
    }

    private void Acknowledge(double time)
    {
        if (_window < _threshold)
        {
            _window++;
            return;
        }
        if (double.IsNaN(_epoch)) (_epoch, _start, _friendly) = (Now - time, _window, _window);
        var t = Now - _epoch;
        var k = _max > _start ? Math.Cbrt((_max - _start) / C) : 0;
        var alpha = _friendly >= _prior ? 1 : 3 * (1 - Beta) / (1 + Beta);
        _friendly += alpha / _window;
        if ((C * Math.Pow(t - k, 3)) + _max < _friendly) _window = Math.Max(_window, _friendly);
        else _window += (Math.Clamp((C * Math.Pow(t + time - k, 3)) + _max, _window, 1.5 * _window) - _window) / _window;
    }

    private void Reduce()
    {
        _prior = _window;
        _max = _window < _max ? _window * (1 + Beta) / 2 : _window;
        _window = _threshold = Math.Max(2, _window * Beta);
        _epoch = double.NaN;
    }
}
