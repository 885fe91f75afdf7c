using Punchline.Protocols.Node;
using Punchline.Protocols.Transport;

namespace Punchline.Simulation.Peers;

/// <summary>
/// What a program does with a peer's connections, in the engine's place: on each it may send some bytes by a stream of its own, and it reads
/// whatever comes.
/// </summary>
internal sealed class SimulatedApplication
{
    /// <summary>The protocol that every simulated peer takes.</summary>
    public const string Protocol = "simulation/1";

    private readonly byte[] _buffer = new byte[16_384];
    private readonly List<(ApplicationConnection Connection, StreamId Stream, int Written)> _sending = [];

    /// <summary>The connections that were offered, in order.</summary>
    public List<ApplicationConnection> Connections { get; } = [];

    /// <summary>Sent on every connection; null for nothing.</summary>
    public byte[]? Outgoing { get; set; }

    /// <summary>The name with which it is sent.</summary>
    public string OutgoingProtocol { get; set; } = Protocol;

    /// <summary>What came by each stream that the peer opened, in the order of their opening.</summary>
    public List<(ApplicationConnection Connection, StreamId Stream, MemoryStream Bytes)> Incoming { get; } = [];

    /// <summary>Streams whose end was read.</summary>
    public int Finished { get; private set; }

    /// <summary>Codes with which the peer abandoned or refused streams.</summary>
    public List<(ConnectionEventKind Kind, ulong Code)> Aborted { get; } = [];

    public void Handle(ApplicationConnection connection)
    {
        if (!Connections.Contains(connection))
        {
            Connections.Add(connection);
            if (Outgoing is not null && connection.Connection.TryOpenStream(OutgoingProtocol, StreamDirection.Bidirectional, out var stream))
            {
                _sending.Add((connection, stream, 0));
                Write(connection, stream);
            }
        }
        while (connection.TryDequeueEvent(out var told)) Handle(connection, told);
    }

    private void Handle(ApplicationConnection connection, in ConnectionEvent told)
    {
        switch (told.Kind)
        {
            case ConnectionEventKind.StreamOpened:
                Incoming.Add((connection, told.Stream, new MemoryStream()));
                break;
            case ConnectionEventKind.StreamReadable:
                Read(connection, told.Stream);
                break;
            case ConnectionEventKind.StreamWritable:
                Write(connection, told.Stream);
                break;
            case ConnectionEventKind.StreamReset or ConnectionEventKind.StreamStopped:
                Aborted.Add((told.Kind, told.Code));
                break;
        }
    }

    private void Read(ApplicationConnection connection, StreamId stream)
    {
        var index = Incoming.FindIndex(known => known.Connection == connection && known.Stream == stream);
        if (index < 0) return;
        int length;
        do
        {
            length = connection.Connection.Read(stream, _buffer, out var isFinished);
            Incoming[index].Bytes.Write(_buffer, 0, length);
            if (!isFinished) continue;
            Finished++;
            return;
        }
        while (length > 0);
    }

    private void Write(ApplicationConnection connection, StreamId stream)
    {
        var index = _sending.FindIndex(known => known.Connection == connection && known.Stream == stream);
        var written = _sending[index].Written;
        written += connection.Connection.Write(stream, Outgoing.AsSpan(written));
        _sending[index] = (connection, stream, written);
        if (written == Outgoing!.Length) connection.Connection.CompleteWrites(stream);
    }
}
