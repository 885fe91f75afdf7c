using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Stun;

public sealed class StunStreamTests
{
    private static readonly Endpoint Mapped = Endpoint.Parse("198.51.100.11:40000");

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000)]
    public void The_mapped_address_is_read_however_the_answer_is_cut_and_again_on_the_same_connection(int piece)
    {
        var stun = new StunStream(new SeededRandom(1));
        for (var round = 0; round < 2; round++)
        {
            var answer = AnswerTo(stun);
            var outcome = StunStreamOutcome.Waiting;
            foreach (var part in answer.Chunk(piece))
            {
                Assert.Equal(StunStreamOutcome.Waiting, outcome);
                outcome = stun.HandleBytes(part, out var mapped);
                if (outcome == StunStreamOutcome.Reflected) Assert.Equal(Mapped, mapped);
            }
            Assert.Equal(StunStreamOutcome.Reflected, outcome);
            Assert.False(stun.IsWaiting);
        }
    }

    [Fact]
    public void What_answers_an_earlier_request_is_passed_over_and_what_is_no_STUN_breaks_it()
    {
        var stun = new StunStream(new SeededRandom(1));
        var late = AnswerTo(stun);
        var answer = AnswerTo(stun);
        Assert.Equal(StunStreamOutcome.Waiting, stun.HandleBytes(late, out _));
        Assert.Equal(StunStreamOutcome.Reflected, stun.HandleBytes(answer, out _));
        Assert.Equal(StunStreamOutcome.Broken, stun.HandleBytes("HTTP/1.1 400"u8, out _));
    }

    private static byte[] AnswerTo(StunStream stun)
    {
        Span<byte> request = stackalloc byte[StunStream.RequestLength];
        Span<byte> response = stackalloc byte[StunResponder.MaxResponseLength];
        Assert.True(StunResponder.TryRespond(request[..stun.WriteRequest(request)], Mapped, response, out var length));
        return response[..length].ToArray();
    }
}
