namespace Punchline.Protocols.Node;

/// <summary>Codes with which a peer closes a connection (CONNECTION_CLOSE of type 0x1d): part of the registry in PROTOCOL.md.</summary>
internal static class CloseCodes
{
    /// <summary>The peer leaves the room.</summary>
    public const ulong Left = 0x00;

    /// <summary>The same peer completed a newer handshake.</summary>
    public const ulong Superseded = 0x01;

    /// <summary>A chat stream carried what is no frame, or an acknowledgement of nothing.</summary>
    public const ulong ChatProtocolError = 0x02;

    /// <summary>A stream of introductions carried what is none.</summary>
    public const ulong IntroductionProtocolError = 0x03;

    /// <summary>The application's code 0; its others follow. Below are those of this registry.</summary>
    public const ulong FirstOfApplication = 0x100;
}
