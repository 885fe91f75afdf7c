namespace Punchline.Engine.Qlog;

/// <summary>One file, which only its owner may read (on Unix: mode 600). Where the disk fails, it ends: a log is not worth a connection.</summary>
internal sealed class QlogFile(string path, int bufferBytes) : IDisposable
{
    private FileStream? _stream;
    private bool _hasFailed;

    public void Write(ReadOnlySpan<byte> record)
    {
        if (_hasFailed) return;
        try
        {
            _stream ??= Create();
            _stream.Write(record);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Fail();
        }
    }

    /// <summary>So that whoever reads along sees it.</summary>
    public void Flush()
    {
        try
        {
            _stream?.Flush();
        }
        catch (IOException)
        {
            Fail();
        }
    }

    public void Dispose()
    {
        Flush();
        _stream?.Dispose();
        _stream = null;
    }

    private FileStream Create()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = bufferBytes };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    private void Fail()
    {
        _hasFailed = true;
        try
        {
            _stream?.Dispose();
        }
        catch (IOException)
        {
            // What was buffered could not be written either.
        }
        _stream = null;
    }
}
