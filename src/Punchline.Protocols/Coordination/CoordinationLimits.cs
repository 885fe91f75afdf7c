namespace Punchline.Protocols.Coordination;

/// <summary>What coordination costs at most, on either side. PROTOCOL §2 has the times; the sizes show their arithmetic.</summary>
internal static class CoordinationLimits
{
    /// <summary>Bytes of a room's tag. HKDF gives any length; below 128 bits tags could be guessed.</summary>
    public const int MinTagBytes = 16;
    public const int MaxTagBytes = 32;

    public const int NonceBytes = 32;

    /// <summary>A sealed introduction: two dozen candidates of 20 bytes, a profile and a name fit in a quarter of it.</summary>
    public const int MaxBlobBytes = 4096;

    /// <summary>
    /// A <c>join</c> is the largest: its blob is 5,462 characters of base64url, key, instance and MAC 152 together, names
    /// and punctuation below 200. The rest is room for fields of later versions.
    /// </summary>
    public const int MaxClientMessageBytes = 8192;

    /// <summary>
    /// A <c>welcome</c> to a full room is the largest: 64 members of at most 5,462 (blob) + 52 (id) + 22 (instance)
    /// + 39 (address) + 100 (names and punctuation) characters are 363 KB.
    /// </summary>
    public const int MaxServerMessageBytes = 512 * 1024;

    /// <summary>Everybody connects to everybody: a room of 64 already means 2,016 connections.</summary>
    public const int MaxMembersPerRoom = 64;

    /// <summary>Of an inbox, whose holder always has its place.</summary>
    public const int MaxCallersPerInbox = MaxMembersPerRoom - 1;

    /// <summary>A sealed introduction of 806 bytes at most, and room for later versions. The server carries no data of peers.</summary>
    public const int MaxSignalBytes = 2048;

    /// <summary>A ring, two updates and a hang-up at once, twice over; then 4 kB a second.</summary>
    public const int CallerSignalBurst = 8;
    public const int CallerSignalsPerSecond = 2;

    /// <summary>Four to each of 63 callers at once.</summary>
    public const int HolderSignalBurst = 4 * MaxCallersPerInbox;
    public const int HolderSignalsPerSecond = 32;

    /// <summary>Of one server, connected or within their 15 s of grace: 16,384 blobs are 64 MiB.</summary>
    public const int MaxMembers = 16_384;

    /// <summary>Of one server: a room is of use with two members.</summary>
    public const int MaxRooms = MaxMembers / 2;

    /// <summary>Of one server, joined or not: about 40 kB each with TLS and WebSocket buffers, so 400 MB.</summary>
    public const int MaxConnections = 10_000;

    /// <summary>A public server on two addresses has four; the others are for address families and clouds.</summary>
    public const int MaxStunServers = 8;

    /// <summary>A DNS name has at most 253 characters (RFC 1035 §2.3.4, without the root), a port and its colon 6.</summary>
    public const int MaxHostLength = 253 + 6;

    /// <summary>Characters of an error's text that are kept.</summary>
    public const int MaxErrorTextLength = 256;

    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    /// <summary>Three heartbeats lost: the member is gone, or the server is.</summary>
    public static readonly TimeSpan SilenceLimit = 3 * HeartbeatInterval;

    /// <summary>From the connection to its <c>join</c>. Peers wait 150 ms for STUN; the rest is a slow network's.</summary>
    public static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(10);
}
