using System.Globalization;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tcp;

namespace Punchline.Simulation.Tracing;

/// <summary>One line of the trace. The payload is the packet's own array, which no one changes.</summary>
internal readonly record struct TraceEvent(
    Timestamp At, string Place, Verdict Verdict, Endpoint Source, Endpoint Destination, byte TimeToLive, ReadOnlyMemory<byte> Payload, ulong Digest,
    TcpHeader? Tcp = null)
{
    public int Length => Payload.Length;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{At,16} {Place,-12} {Verdict,-18} {Show(Source),-21} > {Show(Destination),-21} ttl {TimeToLive,-3} {Length,5} B {Digest:x16}{Show(Tcp)}");

    private static string Show(TcpHeader? tcp) => tcp is { } header ? $" {header.Flags} {header.Sequence} {header.Acknowledgment}" : "";

    private static string Show(Endpoint endpoint) => endpoint == default ? "-" : endpoint.ToString();
}
