using System.Text;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Tests.Transport;
using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Tests.Rooms;

/// <summary>Two channels over two connections, and what happens when those are replaced.</summary>
public sealed class ChatChannelTests
{
    private readonly End _one = new();
    private readonly End _other = new();
    private Pair _pair = null!;

    [Fact]
    public void Messages_arrive_once_in_order_and_are_acknowledged()
    {
        Connect();
        for (ulong i = 1; i <= 20; i++) _one.Send(i, $"message {i}");
        _other.Send(1, "back");
        Run(() => _one.Channel.Undelivered + _other.Channel.Undelivered == 0);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"message {i}"), _other.Texts);
        Assert.Equal(["back"], _one.Texts);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (ulong)i), _one.Delivered);
    }

    [Fact]
    public void What_was_not_acknowledged_goes_out_again_on_the_next_connection_and_arrives_once()
    {
        Connect();
        // The messages get through, and nothing comes back.
        _pair.Passes = (side, _) => side == _pair.Initiator;
        for (ulong i = 1; i <= 5; i++) _one.Send(i, $"message {i}");
        Run(() => _other.Texts.Count == 5);
        Assert.Equal(5, _one.Channel.Undelivered);
        _one.Send(6, "message 6");

        Connect();
        Run(() => _one.Channel.Undelivered == 0);
        Assert.Equal(Enumerable.Range(1, 6).Select(i => $"message {i}"), _other.Texts);
        Assert.Equal([1, 2, 3, 4, 5, 6], _one.Delivered);
    }

    [Fact]
    public void Half_of_a_long_message_is_forgotten_with_its_connection()
    {
        Connect();
        var text = new string('x', ChatFrame.MaxTextBytes);
        _one.Send(1, text);
        for (var packets = 0; packets < 50; packets++) _pair.Run(TimeSpan.FromMilliseconds(5));
        Connect();
        Run(() => _one.Channel.Undelivered == 0);
        Assert.Equal([text], _other.Texts);
    }

    [Fact]
    public void Messages_wait_while_there_is_no_connection_within_limits()
    {
        for (ulong i = 1; i <= ChatChannel.MaxUndelivered; i++)
        {
            Assert.True(_one.Channel.HasRoomFor(3));
            _one.Send(i, "x");
        }
        Assert.False(_one.Channel.HasRoomFor(3));
        // Who cannot be reached loses its oldest message for a newer one.
        _one.Channel.MakeRoomFor(3);
        Assert.Equal(ChatChannel.MaxUndelivered - 1, _one.Channel.Undelivered);
        Connect();
        Run(() => _one.Channel.Undelivered == 0);
        Assert.Equal(Enumerable.Range(2, ChatChannel.MaxUndelivered - 1).Select(i => (ulong)i), _one.Delivered);
    }

    [Fact]
    public void Sixty_four_of_the_longest_messages_are_all_that_waits()
    {
        var frame = ChatFrame.WriteMessage(1, new byte[ChatFrame.MaxTextBytes - 16]);
        for (ulong i = 1; i <= 64; i++)
        {
            Assert.True(_one.Channel.HasRoomFor(frame.Length));
            _one.Channel.Enqueue(i, frame);
        }
        Assert.False(_one.Channel.HasRoomFor(frame.Length));
    }

    [Fact]
    public void A_newer_process_gets_what_the_older_one_did_not_acknowledge()
    {
        var older = new ChatChannel();
        older.Enqueue(7, ChatFrame.WriteMessage(7, "seven"u8));
        older.Enqueue(8, ChatFrame.WriteMessage(8, "eight"u8));
        _one.Channel.TakeOver(older);
        Assert.Equal((0, 2), (older.Undelivered, _one.Channel.Undelivered));
        Connect();
        Run(() => _one.Channel.Undelivered == 0);
        Assert.Equal(["seven", "eight"], _other.Texts);
    }

    [Fact]
    public void An_owner_that_takes_no_events_stops_the_reading_and_not_more_than_a_read_beyond_the_limit()
    {
        Connect();
        _other.TakesEvents = false;
        for (ulong i = 1; i <= 3_000; i++) _one.Send(i, "a message of some length");
        _pair.Run(TimeSpan.FromSeconds(5));
        // One read of at least 4,096 bytes may pass the limit: frames of 27 bytes.
        var waiting = 3_000 - _one.Channel.Undelivered;
        Assert.InRange(waiting, ChatChannel.MaxPendingEvents, ChatChannel.MaxPendingEvents + (64 * 1024 / 27));
        _other.TakesEvents = true;
        _other.Drain();
        Run(() => _one.Channel.Undelivered == 0);
        Assert.Equal(3_000, _other.Texts.Count);
    }

    // It reads its own messages' answers never: what we owe it must not pile up here.
    [Fact]
    public void A_member_that_reads_no_acknowledgements_is_read_no_further()
    {
        Connect();
        _one.Reads = false;
        // Frames as the wire has them, past our own channel's limits: 5 bytes each, answered by as many.
        const int Count = 2_000_000;
        var stream = new byte[5 * Count];
        for (var i = 0; i < Count; i++) ((byte[])[1, 3, (byte)(0x40 | ((i + 1) >> 8 & 0x3f)), (byte)(i + 1), (byte)'x']).CopyTo(stream, 5 * i);
        var written = 0;
        for (var round = 0; round < 400; round++)
        {
            written += _one.Connection.Write(_one.OutgoingStream, stream.AsSpan(written));
            _pair.Run(TimeSpan.FromMilliseconds(50));
        }
        // Its window of 1 MiB and our buffer hold answers; beyond them reading stops, and with it the writing.
        Assert.InRange(_other.Channel.PendingAcknowledgements, ChatChannel.MaxPendingEvents, ChatChannel.MaxPendingEvents + (64 * 1024 / 5));
        Assert.InRange(written, 1 << 20, stream.Length - 1);
    }

    [Theory]
    [InlineData("0200")] // delivered, without a number
    [InlineData("020105")] // delivered, of what was never sent
    public void An_answer_that_is_none_breaks_the_protocol(string answer)
    {
        Connect();
        _one.Send(1, "x");
        Run(() => _other.Texts.Count == 1);
        var stream = _one.OutgoingStream;
        _other.Connection.Write(stream, Convert.FromHexString(answer));
        Run(() => _one.IsBroken);
    }

    [Theory]
    [InlineData("0100")] // a message without a number
    [InlineData("01c000000000200000")] // a message of 2 MiB
    public void A_message_that_is_none_breaks_the_protocol(string frame)
    {
        Connect();
        _one.Connection.Write(_one.OutgoingStream, Convert.FromHexString(frame));
        Run(() => _other.IsBroken);
    }

    [Fact]
    public void Frames_of_later_versions_are_skipped()
    {
        Connect();
        _one.Connection.Write(_one.OutgoingStream, [0x40, 0x63, 3, 1, 2, 3]);
        _one.Send(1, "x");
        Run(() => _one.Channel.Undelivered == 0);
        Assert.Equal(["x"], _other.Texts);
        Assert.False(_other.IsBroken);
    }

    [Fact]
    public void A_second_stream_of_the_member_is_refused()
    {
        Connect();
        Assert.True(_one.Channel.TryAccept(StreamId.Create(StreamDirection.Bidirectional, ConnectionRole.Responder, 5)));
        Assert.False(_one.Channel.TryAccept(StreamId.Create(StreamDirection.Bidirectional, ConnectionRole.Responder, 6)));
    }

    private void Connect()
    {
        _pair = new Pair();
        _one.Attach(_pair.Initiator);
        _other.Attach(_pair.Responder);
    }

    private void Run(Func<bool> condition) => Assert.True(_pair.RunUntil(() =>
    {
        _one.Drain();
        _other.Drain();
        return condition();
    }));

    /// <summary>A channel and what its owner does for it.</summary>
    private sealed class End
    {
        private Side _side = null!;
        private int _handled;

        public ChatChannel Channel { get; } = new();

        public Connection Connection => _side.Connection;

        public StreamId OutgoingStream { get; private set; }

        public List<string> Texts { get; } = [];

        public List<ulong> Delivered { get; } = [];

        public bool IsBroken { get; private set; }

        public bool TakesEvents { get; set; } = true;

        public bool Reads { get; set; } = true;

        public void Send(ulong sequence, string text) => Channel.Enqueue(sequence, ChatFrame.WriteMessage(sequence, Encoding.UTF8.GetBytes(text)));

        public void Attach(Side side)
        {
            _side = side;
            _handled = 0;
            side.ReadsAtOnce = false;
            side.Raised = Drain;
            Channel.Attach(side.Connection);
            OutgoingStream = StreamId.Create(StreamDirection.Bidirectional, side.Name == "initiator" ? ConnectionRole.Initiator : ConnectionRole.Responder, 0);
        }

        public void Drain()
        {
            for (; _handled < _side.Events.Count; _handled++)
            {
                var raised = _side.Events[_handled];
                if (raised.Kind == ConnectionEventKind.StreamOpened) Assert.True(Channel.TryAccept(raised.Stream));
                if (raised.Kind == ConnectionEventKind.StreamReadable && Reads) IsBroken |= !Channel.TryHandleReadable(raised.Stream);
                if (raised.Kind == ConnectionEventKind.StreamWritable) Channel.HandleWritable();
            }
            while (TakesEvents && Channel.TryDequeueEvent(out var chatEvent))
            {
                if (chatEvent is ChatEvent.Received received) Texts.Add(received.Text);
                else Delivered.Add(chatEvent.Sequence);
            }
            IsBroken |= !Channel.TryResume();
        }
    }
}
