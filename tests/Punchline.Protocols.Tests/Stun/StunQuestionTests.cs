using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Tests.Stun;

/// <summary>One question: three requests at most, and only an answer from where it was asked for.</summary>
public sealed class StunQuestionTests
{
    private static readonly Endpoint Server = Endpoint.Parse("203.0.113.10:8080");
    private static readonly Endpoint Other = Endpoint.Parse("203.0.113.11:8081");
    private static readonly Endpoint Seen = Endpoint.Parse("198.51.100.11:5000");
    private static readonly StunTransactionId Id = new(1, 2);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    [Fact]
    public void Three_requests_leave_and_then_it_is_over()
    {
        var question = new StunQuestion(Id, Server, StunChangeRequest.ChangeAddress | StunChangeRequest.ChangePort, Patience, Timestamp.Zero);
        List<double> sent = [];
        Span<byte> buffer = stackalloc byte[StunQuestion.MaxRequestLength];
        while (!question.IsOver)
        {
            var now = question.NextTimeout;
            question.HandleTimeout(now);
            while (question.TryDequeueTransmit(now, buffer, SocketId.Main, out var transmit))
            {
                sent.Add((now - Timestamp.Zero).TotalMilliseconds);
                Assert.Equal(Server, transmit.Destination);
                Assert.True(StunMessage.TryRead(buffer[..transmit.Length], out var request));
                Assert.True(request.TryFind(StunAttributeType.ChangeRequest, out var change));
                Assert.Equal([0, 0, 0, 6], change.ToArray());
                Assert.True(question.IsIn(request));
            }
            Assert.InRange(now - Timestamp.Zero, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }
        Assert.Equal([0, 100, 200], sent);
        Assert.Equal(Timestamp.Never, question.NextTimeout);
        Assert.Null(question.Answer);
    }

    [Theory] // a lying or ignorant server, a stranger, another transaction
    [InlineData("203.0.113.10:8080", 1)]
    [InlineData("203.0.113.99:8081", 1)]
    [InlineData("203.0.113.11:8080", 1)]
    [InlineData("203.0.113.11:8081", 7)]
    public void What_comes_from_elsewhere_or_answers_something_else_is_no_answer(string from, uint high)
    {
        var question = Asked();
        Assert.False(Answer(question, Endpoint.Parse(from), new StunTransactionId(high, 2), Other));
        Assert.False(question.IsOver);
    }

    [Fact]
    public void An_answer_from_where_it_was_asked_for_has_what_the_server_says()
    {
        var question = Asked();
        Assert.True(Answer(question, Other, Id, Other));
        Assert.Equal(new StunAnswer(Other, Seen, Other, TimeSpan.FromMilliseconds(30)), question.Answer);
        Assert.False(Answer(question, Other, Id, Other));
    }

    [Fact]
    public void A_refusal_is_an_end_without_an_answer()
    {
        var question = Asked();
        Span<byte> buffer = stackalloc byte[64];
        var writer = new StunWriter(buffer, StunClass.ErrorResponse, StunMethod.Binding, Id);
        writer.WriteErrorCode(StunError.UnknownAttribute);
        Assert.True(StunMessage.TryRead(buffer[..writer.Length], out var message));
        Assert.True(question.TryAnswer(Other, message, Other, Timestamp.Zero));
        Assert.True(question.IsOver);
        Assert.Null(question.Answer);
    }

    [Fact]
    public void Before_a_request_has_left_nothing_is_an_answer()
    {
        var question = new StunQuestion(Id, Server, 0, Patience, Timestamp.Zero);
        Assert.False(Answer(question, Server, Id, Server));
    }

    private static StunQuestion Asked()
    {
        var question = new StunQuestion(Id, Server, StunChangeRequest.ChangeAddress | StunChangeRequest.ChangePort, Patience, Timestamp.Zero);
        Assert.True(question.TryDequeueTransmit(Timestamp.Zero, new byte[StunQuestion.MaxRequestLength], SocketId.Main, out _));
        return question;
    }

    private static bool Answer(StunQuestion question, Endpoint from, StunTransactionId id, Endpoint expected)
    {
        Span<byte> buffer = stackalloc byte[128];
        var writer = new StunWriter(buffer, StunClass.SuccessResponse, StunMethod.Binding, id);
        writer.WriteXorMappedAddress(Seen);
        writer.WriteAddress(StunAttributeType.OtherAddress, Other);
        Assert.True(StunMessage.TryRead(buffer[..writer.Length], out var message));
        return question.TryAnswer(from, message, expected, Timestamp.Zero + TimeSpan.FromMilliseconds(30));
    }
}
