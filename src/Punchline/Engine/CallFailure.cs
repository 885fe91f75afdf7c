using Punchline.Protocols.Node;

namespace Punchline.Engine;

/// <summary>Why a call was not taken, for its caller.</summary>
internal static class CallFailure
{
    public static PunchlineException Of(PeerId peer, CallEnding ending) => ending switch
    {
        CallEnding.Offline => new(PunchlineError.PeerOffline, $"{peer} is not there, or waits for no calls there."),
        CallEnding.Busy => new(PunchlineError.PeerBusy, $"{peer} is busy."),
        CallEnding.Refused => new(PunchlineError.PeerRefused, $"{peer} did not take the call."),
        _ => new(PunchlineError.PeerNotAnswering, $"Nobody at {peer} answered for {OutgoingCall.RingTime.TotalSeconds:0} s."),
    };
}
