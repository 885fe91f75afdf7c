using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>Where the doctor's words go.</summary>
internal interface IDoctorOutput
{
    /// <summary>It is at work, and knows so much.</summary>
    void ShowProgress(NetworkReport soFar);

    void Show(Diagnosis diagnosis);
}
