using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class PacketTests
{
    [Theory] // RFC 9000 §A.3's rule, for numbers of 32 bits
    [InlineData(0x0000_0000u, 0UL, 0UL)]
    [InlineData(0x0000_0005u, 3UL, 5UL)]
    [InlineData(0xffff_ffffu, 0UL, 0xffff_ffffUL)] // nothing lies below zero
    [InlineData(0xffff_ffffu, 0x1_0000_0001UL, 0xffff_ffffUL)]
    [InlineData(0x0000_0001u, 0xffff_fffeUL, 0x1_0000_0001UL)]
    [InlineData(0x8000_0000u, 0x1_0000_0000UL, 0x1_8000_0000UL)] // half a window ahead belongs to the future
    [InlineData(0x8000_0001u, 0x1_0000_0000UL, 0x8000_0001UL)]
    [InlineData(0x9b32_9b32u, 0xa8_2f30_ebUL + 0x5_0000_0000UL, 0x5_9b32_9b32UL)]
    public void A_number_is_the_candidate_closest_to_the_expected_one(uint truncated, ulong expected, ulong number) =>
        Assert.Equal(number, PacketHeader.Reconstruct(truncated, expected));

    [Fact] // Golden packets, sealed by pyca/cryptography's AESGCM under the key 00 01 … 1f
    public void A_packet_is_AES_GCM_over_the_header_with_the_nonce_of_Noise()
    {
        using var sealer = new PacketSealer(Pair.InitiatorKey, AeadLimits.Default, Timestamp.Zero);
        byte[] ping = [.. new byte[13], 0x01, .. new byte[16]];
        Assert.True(sealer.TrySeal(ping, 0x2222222222222222)); // number 0
        Assert.Equal("802222222222222222000000000f2b93dce9032c404a63e96176743a6a78", Convert.ToHexStringLower(ping));
        byte[] padded = [.. new byte[13], 0x01, 0x00, .. new byte[16]];
        Assert.True(sealer.TrySeal(padded, 0x0102030405060708)); // number 1
        Assert.Equal("8001020304050607080000000114d61feb3ce4bf03885f9e5948a4f2e5e60a", Convert.ToHexStringLower(padded));

        using var opener = new PacketOpener(Pair.InitiatorKey, AeadLimits.Default);
        var frames = new byte[2];
        Assert.True(PacketHeader.TryRead(padded, out var header));
        Assert.True(opener.TryOpen(padded, header, 1, frames, out var key));
        Assert.Equal(KeyGeneration.Current, key);
        Assert.Equal([0x01, 0x00], frames);
        Assert.False(opener.TryOpen(padded, header, 2, frames, out _)); // the full number is in the nonce
        padded[5] ^= 1;
        Assert.False(opener.TryOpen(padded, header, 1, frames, out _)); // the header is authenticated
        Assert.Equal(2UL, opener.Forgeries);
    }

    [Fact]
    public void A_key_seals_no_more_than_its_limit()
    {
        using var sealer = new PacketSealer(Pair.InitiatorKey, new AeadLimits { MaxPackets = 2 }, Timestamp.Zero);
        Assert.True(sealer.TrySeal(new byte[30], 1));
        Assert.True(sealer.TrySeal(new byte[30], 1));
        var third = new byte[30];
        Assert.False(sealer.TrySeal(third, 1));
        Assert.Equal(new byte[30], third);
    }

    [Theory]
    [InlineData(0x7f)]
    [InlineData(0x82)] // a reserved bit
    [InlineData(0x91)]
    [InlineData(0xa0)]
    [InlineData(0xc0)]
    public void Other_first_bytes_are_no_data_packets(byte first)
    {
        Assert.True(PacketHeader.TryRead([0x80, .. new byte[29]], out var header));
        Assert.False(header.KeyPhase);
        Assert.True(PacketHeader.TryRead([0x81, .. new byte[29]], out header));
        Assert.True(header.KeyPhase);
        Assert.False(PacketHeader.TryRead([first, .. new byte[29]], out _));
        Assert.False(PacketHeader.TryRead([0x80, .. new byte[28]], out _));
    }

    [Fact]
    public void Duplicates_are_seen_and_a_window_without_holes_stays_small()
    {
        var window = new ReplayWindow();
        for (ulong number = 0; number < 10_000; number++)
        {
            Assert.False(window.HasSeen(number));
            window.Add(number);
            Assert.True(window.HasSeen(number));
        }
        Assert.Equal(ReplayWindow.InitialSize, window.Size);
        Assert.True(window.HasSeen(0));
        Assert.Equal(10_000UL, window.NextExpected);
    }

    [Fact]
    public void A_hole_grows_the_window_until_it_is_too_old()
    {
        var window = new ReplayWindow();
        for (ulong number = 1; number < ReplayWindow.MaxSize - 64; number++) window.Add(number);
        Assert.Equal(ReplayWindow.MaxSize, window.Size);
        Assert.False(window.HasSeen(0));
        window.Add(ReplayWindow.MaxSize);
        Assert.True(window.HasSeen(0)); // too old to tell
    }

    [Fact]
    public void A_jump_neither_hangs_nor_forgets_what_is_near()
    {
        var window = new ReplayWindow();
        window.Add(0);
        window.Add(1UL << 40);
        Assert.False(window.HasSeen((1UL << 40) - 1));
        Assert.True(window.HasSeen(1UL << 40));
        Assert.True(window.HasSeen(0));
        Assert.True(window.HasSeen(5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_window_agrees_with_a_set_of_all_numbers(ulong seed)
    {
        var random = new SeededRandom(seed);
        var window = new ReplayWindow();
        var all = new HashSet<ulong>();
        ulong top = 0;
        for (var i = 0; i < 20_000; i++)
        {
            top += (ulong)random.NextInt32(3);
            var number = top - Math.Min(top, (ulong)random.NextInt32(900));
            Assert.Equal(all.Contains(number), window.HasSeen(number));
            window.Add(number);
            all.Add(number);
        }
    }
}
