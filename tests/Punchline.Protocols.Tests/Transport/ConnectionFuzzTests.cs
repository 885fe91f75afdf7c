using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionFuzzTests
{
    public static TheoryData<ulong> Seeds => [.. Enumerable.Range(1, 10).Select(i => (ulong)i)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_and_mutated_datagrams_neither_throw_nor_leave_a_trace(ulong seed)
    {
        var random = new SeededRandom(seed);
        var fuzzed = new ScriptedPeer();
        var spared = new ScriptedPeer();
        for (var i = 0; i < 500; i++)
        {
            var packet = fuzzed.Seal((ref SpanWriter writer) => writer.WriteBytes(Convert.FromHexString("0a0003017861")));
            var mutated = packet.ToArray();
            switch (random.NextInt32(4))
            {
                case 0: mutated = random.NextBytes(random.NextInt32(1_500)); break;
                case 1: mutated[random.NextInt32(mutated.Length)] ^= (byte)(1 << random.NextInt32(8)); break;
                case 2: mutated = mutated[..random.NextInt32(mutated.Length)]; break;
                default: mutated = [.. mutated, .. random.NextBytes(1 + random.NextInt32(20))]; break;
            }
            Assert.False(fuzzed.Connection.HandleDatagram(fuzzed.Source, mutated, fuzzed.Now), $"seed {seed}, step {i}");
        }
        Assert.Equal(spared.Connection.NextTimeout, fuzzed.Connection.NextTimeout);
        Assert.Equal(spared.Connection.Statistics, fuzzed.Connection.Statistics with { Forgeries = 0 });
        Assert.Equal(0, fuzzed.Connection.StreamCount);
        Assert.Empty(fuzzed.Events());
        Assert.Empty(fuzzed.Drain());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Authenticated_nonsense_never_throws(ulong seed)
    {
        var random = new SeededRandom(seed);
        byte[][] corpus =
        [
            Convert.FromHexString("0a0003017861"), Convert.FromHexString("0b0403017861"), Convert.FromHexString("0e0041000561626364ff"),
            Convert.FromHexString("0200000000"), Convert.FromHexString("0205020101000100"), Convert.FromHexString("04000a05"), Convert.FromHexString("05002a"),
            Convert.FromHexString("109d7f3e7d"), Convert.FromHexString("110080100000"), Convert.FromHexString("1225"), Convert.FromHexString("1a0102030405060708"),
            Convert.FromHexString("1b0102030405060708"), Convert.FromHexString("1d0102ffff"), [0x01], [0x00],
        ];
        var closed = 0;
        for (var run = 0; run < 150; run++)
        {
            var peer = new ScriptedPeer(TransportParameters.Default with { InitialMaxData = 5_000, InitialMaxStreamsBidi = 3 });
            peer.Connection.TryOpenStream("y", StreamDirection.Bidirectional, out var own);
            peer.Connection.Write(own, new byte[3_000]);
            for (var i = 0; i < 30 && !peer.Connection.IsClosed; i++)
            {
                var frames = new List<byte>();
                for (var f = random.NextInt32(5); f >= 0; f--)
                {
                    var frame = corpus[random.NextInt32(corpus.Length)].ToArray();
                    if (random.NextInt32(3) == 0) frame[random.NextInt32(frame.Length)] = (byte)random.NextInt32(256);
                    frames.AddRange(frame);
                }
                if (random.NextInt32(10) == 0) frames.AddRange(random.NextBytes(random.NextInt32(100)));
                peer.Send((ref SpanWriter writer) => writer.WriteBytes(frames.ToArray()));
                peer.Drain();
                foreach (var raised in peer.Events())
                {
                    if (raised.Kind == ConnectionEventKind.StreamReadable) peer.Connection.Read(raised.Stream, new byte[100], out _);
                    if (raised.Kind == ConnectionEventKind.StreamOpened) peer.Connection.Write(raised.Stream, new byte[200]);
                }
                if (random.NextInt32(4) == 0 && peer.Connection.NextTimeout != Timestamp.Never)
                {
                    peer.Now = Timestamp.Max(peer.Now, peer.Connection.NextTimeout);
                    peer.Connection.HandleTimeout(peer.Now);
                    peer.Drain();
                }
            }
            if (peer.Connection.IsClosed) closed++;
            Assert.InRange(peer.Connection.StreamCount, 0, 1 + 3);
        }
        Assert.InRange(closed, 100, 150);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Parameters_of_any_bytes_never_throw(ulong seed)
    {
        var random = new SeededRandom(seed);
        var writer = new SpanWriter(new byte[TransportParameters.MaxEncodedLength]);
        TransportParameters.Default.Write(ref writer, seed);
        var accepted = 0;
        for (var i = 0; i < 5_000; i++)
        {
            var bytes = writer.Written.ToArray();
            for (var m = random.NextInt32(3); m >= 0; m--) bytes[random.NextInt32(bytes.Length)] = (byte)random.NextInt32(256);
            if (TransportParameters.TryRead(bytes.AsSpan(0, random.NextInt32(bytes.Length + 1)), out _)) accepted++;
        }
        Assert.InRange(accepted, 1, 4_999);
    }
}
