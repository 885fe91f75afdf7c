using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// What a member tells the others through the server, sealed so that the server cannot read it:
/// <code>
/// nonce (12) | AES-256-GCM under the introduction key, the room's tag as associated data | tag (16)
///   plaintext: count and list of wire versions, count and list of suites, public key (65), instance (16),
///              generation (4), name (varint length, UTF-8), count of candidates, each: kind, address length (4 or 16),
///              address, port; then fields of <see cref="IntroductionFields"/>
/// </code>
/// The key stands there whole, and not as its id, because two members agree on a key with it before their first packet.
/// </summary>
internal sealed record IntroductionBlob(
    ReadOnlyMemory<byte> PublicKey, InstanceId Instance, uint Generation, string Name, IReadOnlyList<Candidate> Candidates)
{
    /// <summary>Bytes of a name in UTF-8, at most.</summary>
    public const int MaxNameBytes = 64;

    /// <summary>Bytes of a blob, at most; 30 candidates of IPv6 and the longest name take 806, 32 offers 995, and 16 origins 163.</summary>
    public const int MaxLength = 2048;

    /// <summary>Versions or suites in a list, at most.</summary>
    public const int MaxListLength = 16;

    private const int NonceLength = 12;
    private const int TagLength = 16;

    private static readonly byte[] OurVersions = [HandshakePacket.Version];
    private static readonly byte[] OurSuites = [P256KeyPair.Suite];

    /// <summary>The member: the id that its key has.</summary>
    public PeerId Id { get; } = PeerIdDerivation.Derive(P256KeyPair.Suite, PublicKey.Span);

    /// <summary>Wire versions that the member speaks, best first.</summary>
    public ReadOnlyMemory<byte> Versions { get; init; } = OurVersions;

    /// <summary>Cipher suites that it speaks, best first.</summary>
    public ReadOnlyMemory<byte> Suites { get; init; } = OurSuites;

    /// <summary>What it knows of its network.</summary>
    public NetworkProfile Profile { get; init; } = NetworkProfile.Unknown;

    /// <summary>Where the server sees the member, if a server says so. No part of the blob, and not the member's word.</summary>
    public Endpoint? SeenAt { get; init; }

    /// <summary>Who passed it on, where that was another member. No part of the blob; null: the member's own word, or the server's.</summary>
    public PeerId? Introducer { get; init; }

    /// <summary>Ports that it has opened for some of the others.</summary>
    public IReadOnlyList<PortOffer> Offers { get; init; } = [];

    /// <summary>Where it tries some of the others' ports from, or expects some to try its own from.</summary>
    public IReadOnlyList<SearchOrigin> Origins { get; init; } = [];

    /// <summary>The process that speaks.</summary>
    public IntroducedPeer Peer => new(Id, Instance);

    /// <summary>With the address that the member was heard from among its candidates.</summary>
    public IntroductionBlob HeardFrom(Endpoint source) => this with
    {
        SeenAt = source,
        Candidates = Candidates.Any(candidate => candidate.Endpoint == source && candidate.Carrier == Carrier.Udp)
            ? Candidates
            : [new Candidate(CandidateKind.ServerReflexive, source), .. Candidates.Take(Candidate.MaxPerPeer - 1)],
    };

    public byte[] Seal(RoomKeys keys, IRandomSource random)
    {
        Span<byte> plaintext = stackalloc byte[MaxLength];
        var writer = new SpanWriter(plaintext);
        Write(ref writer);
        var blob = new byte[NonceLength + writer.Length + TagLength];
        var nonce = blob.AsSpan(0, NonceLength);
        random.Fill(nonce);
        using var aes = new AesGcm(keys.IntroductionKey, TagLength);
        aes.Encrypt(nonce, writer.Written, blob.AsSpan(NonceLength, writer.Length), blob.AsSpan(NonceLength + writer.Length), keys.Tag);
        return blob;
    }

    /// <summary>Opens a blob of this room. False for one that was not sealed with its key, or is malformed.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> blob, RoomKeys keys, [NotNullWhen(true)] out IntroductionBlob? introduction)
    {
        introduction = null;
        if (blob.Length is < NonceLength + TagLength or > MaxLength) return false;
        Span<byte> plaintext = stackalloc byte[blob.Length - NonceLength - TagLength];
        try
        {
            using var aes = new AesGcm(keys.IntroductionKey, TagLength);
            aes.Decrypt(blob[..NonceLength], blob[NonceLength..^TagLength], blob[^TagLength..], plaintext, keys.Tag);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        return TryRead(plaintext, out introduction);
    }

    /// <summary>What is sealed in a blob, and in the signals of a call.</summary>
    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)Versions.Length);
        writer.WriteBytes(Versions.Span);
        writer.WriteByte((byte)Suites.Length);
        writer.WriteBytes(Suites.Span);
        writer.WriteBytes(PublicKey.Span);
        Instance.CopyTo(writer.Free);
        writer.Advance(InstanceId.ByteLength);
        writer.WriteUInt32(Generation);
        var name = Encoding.UTF8.GetBytes(Name);
        writer.WriteVarInt((ulong)name.Length);
        writer.WriteBytes(name);
        CandidateList.Write(ref writer, Candidates);
        IntroductionFields.Write(ref writer, Offers, Origins, Profile);
    }

    /// <summary>Reads what <see cref="Write"/> wrote. False where it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> plaintext, [NotNullWhen(true)] out IntroductionBlob? introduction)
    {
        introduction = null;
        var reader = new SpanReader(plaintext);
        if (!TryReadList(ref reader, out var versions) || !TryReadList(ref reader, out var suites)) return false;
        if (!reader.TryReadBytes(P256KeyPair.PublicKeyLength, out var publicKey) || !reader.TryReadBytes(InstanceId.ByteLength, out var instance)) return false;
        if (!reader.TryReadUInt32(out var generation) || !reader.TryReadVarIntPrefixed(out var name) || name.Length > MaxNameBytes) return false;
        if (!CandidateList.TryRead(ref reader, out var candidates)) return false;
        IntroductionFields.Read(ref reader, out var offers, out var origins, out var profile);
        introduction = new IntroductionBlob(
            publicKey.ToArray(), InstanceId.FromBytes(instance), generation, PeerText.Clean(Encoding.UTF8.GetString(name)), candidates)
        {
            Versions = versions,
            Suites = suites,
            Offers = offers,
            Origins = origins,
            Profile = profile,
        };
        return true;
    }

    private static bool TryReadList(ref SpanReader reader, out byte[] list)
    {
        list = [];
        if (!reader.TryReadByte(out var length) || length is 0 or > MaxListLength || !reader.TryReadBytes(length, out var bytes)) return false;
        list = bytes.ToArray();
        return true;
    }
}
